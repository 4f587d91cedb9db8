// What a view asks the kernel for, and how that stands.
import { useCallback, useEffect, useRef, useState } from "react";
import type { Problem } from "../contract.gen";
import { RpcError } from "./rpc";

export interface Loaded<V> {
  /** The last answer; it stays while a newer one is on its way. */
  readonly value: V | null;
  readonly problem: Problem | null;
  readonly isLoading: boolean;
  reload(): void;
}

export function asProblem(error: unknown): Problem {
  if (error instanceof RpcError) {
    return { code: error.code, message: error.message, hint: error.hint };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: "page", message, hint: null };
}

/**
 * Load a value, again whenever `revision` changes. Never two loads of one subject at once: what
 * changes meanwhile is loaded when the first is there. Another `subject` drops the value at once.
 */
export function useLoaded<V>(
  load: (signal: AbortSignal) => Promise<V>,
  { revision, subject = "" }: { readonly revision: number; readonly subject?: string },
): Loaded<V> {
  const [state, setState] = useState({ ...EMPTY, subject } as State<V>);
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const busy = useRef<Turn | null>(null);

  useEffect(() => {
    if (busy.current?.subject === subject) {
      busy.current.isAgain = true;
      return;
    }
    busy.current?.life.abort();
    const mine: Turn = { subject, isAgain: false, life: new AbortController() };
    busy.current = mine;
    const show = (news: Partial<State<V>>) => {
      if (busy.current !== mine) return;
      setState((before) => ({
        ...(before.subject === subject ? before : EMPTY),
        ...news,
        subject,
      }));
    };
    const run = async (): Promise<void> => {
      mine.isAgain = false;
      show({ isLoading: true });
      try {
        const value = await latest.current(mine.life.signal);
        show({ value, problem: null, isLoading: mine.isAgain });
      } catch (error) {
        const problem = asProblem(error);
        // What is only read can be asked for again.
        if (problem.code === "lost") mine.isAgain = true;
        else show({ problem, isLoading: mine.isAgain });
      }
      if (busy.current !== mine) return;
      if (mine.isAgain) await run();
      else busy.current = null;
    };
    void run();
  }, [revision, turn, subject]);

  useEffect(
    () => () => {
      busy.current?.life.abort();
      busy.current = null;
    },
    [],
  );

  const reload = useCallback(() => setTurn((before) => before + 1), []);
  const { value, problem, isLoading } = state.subject === subject ? state : EMPTY;
  return { value, problem, isLoading, reload };
}

interface State<V> extends Omit<Loaded<V>, "reload"> {
  readonly subject: string;
}

interface Turn {
  readonly subject: string;
  readonly life: AbortController;
  /** Something has changed since this load began. */
  isAgain: boolean;
}

const EMPTY = { value: null, problem: null, isLoading: true };

export interface Action<A extends unknown[]> {
  readonly isBusy: boolean;
  readonly problem: Problem | null;
  run(...args: A): Promise<boolean>;
  clear(): void;
}

/** A command: one at a time, with what went wrong in words. `run` tells whether it went well. */
export function useAction<A extends unknown[]>(
  command: (...args: A) => Promise<unknown>,
): Action<A> {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const latest = useRef(command);
  latest.current = command;
  const busy = useRef(false);
  const run = useCallback(async (...args: A): Promise<boolean> => {
    if (busy.current) return false;
    busy.current = true;
    setBusy(true);
    setProblem(null);
    try {
      await latest.current(...args);
      return true;
    } catch (error) {
      setProblem(asProblem(error));
      return false;
    } finally {
      busy.current = false;
      setBusy(false);
    }
  }, []);
  const clear = useCallback(() => setProblem(null), []);
  return { isBusy, problem, run, clear };
}
