// The traces around what is shown of a long list, and what of them is selected.
import { useCallback, useRef, useState } from "react";
import type { Problem, TracePage, TraceQuery, TraceRow } from "../../contract.gen";
import { useRevision } from "../../host/bridge";
import { useLoaded } from "../../host/loaded";
import { useRpc } from "./hooks";
import { rowsAround } from "./window";

export interface Traces {
  readonly page: TracePage | null;
  readonly problem: Problem | null;
  readonly isLoading: boolean;
  row(index: number): TraceRow | undefined;
  /** Whether all that match are selected. */
  readonly isAllPicked: boolean;
  isPicked(number: number): boolean;
  /** Have the rows from one to another at hand. */
  show(first: number, last: number): void;
  pick(number: number, on: boolean): void;
  pickAll(on: boolean): void;
  clear(): void;
  reload(): void;
}

export function useTraces(query: TraceQuery): Traces {
  const rpc = useRpc();
  const revision = useRevision();
  const [start, setStart] = useState(0);
  const [turn, setTurn] = useState(0);
  // What was pressed shows at once; the kernel's answer replaces it.
  const [pressed, setPressed] = useState(NOTHING_PRESSED);
  const began = useRef(0);
  const asked = JSON.stringify(query);
  const version = useVersion(JSON.stringify([asked, start, revision, turn]));
  const loaded = useLoaded(
    async (signal) => {
      const window = rowsAround(start);
      const mine = began.current;
      const page = await rpc.call("list_traces", { query, ...window }, signal);
      if (began.current === mine) setPressed(NOTHING_PRESSED);
      return { page, start: window.start, asked };
    },
    { revision: version },
  );
  const value = loaded.value;
  const page = value?.page ?? null;
  const change = useCallback(async (act: () => Promise<unknown>) => {
    began.current += 1;
    await act().catch(() => {}); // the list, asked anew, says what is selected
    setTurn((before) => before + 1);
  }, []);
  return {
    page,
    problem: loaded.problem,
    isLoading: loaded.isLoading || (value !== null && value.asked !== asked),
    row: (index) => (value ? page?.rows[index - value.start] : undefined),
    isAllPicked:
      pressed.all ?? (page !== null && page.matching > 0 && page.picked_matching === page.matching),
    isPicked: (number) =>
      pressed.one.get(number) ?? pressed.all ?? page?.picked.includes(number) ?? false,
    show: (first, last) => {
      const wanted = rowsAround(start);
      if (first < wanted.start || last > wanted.start + wanted.count) setStart(first);
    },
    pick(number, on) {
      setPressed(({ one, all }) => ({ all, one: new Map(one).set(number, on) }));
      void change(() => rpc.call("pick_traces", { numbers: [number], on }));
    },
    pickAll(on) {
      setPressed({ one: new Map(), all: on });
      void change(() => rpc.call("pick_matching", { query, on }));
    },
    clear: () => void change(() => rpc.call("clear_picked", {})),
    reload: loaded.reload,
  };
}

interface Pressed {
  readonly one: ReadonlyMap<number, boolean>;
  readonly all: boolean | null;
}

const NOTHING_PRESSED: Pressed = { one: new Map(), all: null };

/** A number that grows with every other key. */
function useVersion(key: string): number {
  const last = useRef({ key, version: 0 });
  if (last.current.key !== key) last.current = { key, version: last.current.version + 1 };
  return last.current.version;
}
