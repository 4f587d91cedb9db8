// What one person labels: the queue, what was said, and a step back. Shown at once, stored in order.
import { useCallback, useEffect, useRef, useState } from "react";
import type { LabelBatch, LabellingDialogCalls, Problem } from "../../contract.gen";
import { asProblem } from "../../host/loaded";
import type { Rpc } from "../../host/rpc";

export type Scale = LabellingDialogCalls["label"]["params"]["scale"];

export interface Person {
  readonly labeller: string;
  readonly scale: Scale;
  /** Answers that are to be labelled in the end. */
  readonly n: number;
}

interface Step {
  readonly id: string;
  /** Nothing where it was skipped. */
  readonly value: number | null;
  readonly note: string;
}

interface State {
  readonly left: readonly string[];
  readonly steps: readonly Step[];
  /** Labelled before this sitting. */
  readonly before: number;
  /** What was written beside the answer that stands first, before it came back. */
  readonly note: string;
}

export interface Labelling {
  readonly current: string | null;
  readonly next: string | null;
  readonly done: number;
  readonly total: number;
  readonly skipped: number;
  readonly canUndo: boolean;
  readonly isLoading: boolean;
  readonly problem: Problem | null;
  /** What was said beside the current answer before it was taken back. */
  readonly note: string;
  give(value: number, note: string): void;
  skip(): void;
  undo(): void;
  /** Those that were skipped. */
  again(): void;
  reload(): void;
}

export function useLabelling(rpc: Rpc<LabellingDialogCalls>, person: Person): Labelling {
  const [state, setState] = useState<State | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const { labeller, scale, n } = person;

  const reload = useCallback(() => {
    setProblem(null);
    rpc.call("batch", { labeller, n }).then(
      (batch) => setState(begun(batch)),
      (error) => setProblem(asProblem(error)),
    );
  }, [rpc, labeller, n]);
  useEffect(reload, [reload]);

  const line = useRef(Promise.resolve());
  const tell = (id: string, call: () => Promise<unknown>) => {
    setProblem(null);
    line.current = line.current.then(async () => {
      try {
        await call();
      } catch (error) {
        setProblem(asProblem(error));
        setState((now) => now && comeBack(now, id));
      }
    });
  };
  const step = (value: number | null, note = "") =>
    setState((now) => {
      const [id, ...left] = now?.left ?? [];
      if (!now || id === undefined) return now;
      return { ...now, left, steps: [...now.steps, { id, value, note }], note: "" };
    });

  const current = state?.left[0] ?? null;
  const steps = state?.steps ?? [];
  const labelled = steps.filter(({ value }) => value !== null).length;
  return {
    current,
    next: state?.left[1] ?? null,
    done: (state?.before ?? 0) + labelled,
    total: (state?.before ?? 0) + labelled + (state?.left.length ?? 0) + steps.length - labelled,
    skipped: steps.length - labelled,
    canUndo: steps.length > 0,
    isLoading: state === null && problem === null,
    problem,
    note: state?.note ?? "",
    give: (value, note) => {
      if (current === null) return;
      step(value, note);
      tell(current, () => rpc.call("label", { record_id: current, value, labeller, scale, note }));
    },
    skip: () => step(null),
    undo: () => {
      const last = steps.at(-1);
      if (!last) return;
      setState((now) => now && comeBack(now, last.id));
      if (last.value !== null) {
        tell(last.id, () => rpc.call("unlabel", { record_id: last.id, labeller }));
      }
    },
    again: () =>
      setState(
        (now) =>
          now && {
            ...now,
            left: [...now.left, ...now.steps.filter(isSkipped).map(({ id }) => id)],
            steps: now.steps.filter((one) => !isSkipped(one)),
          },
      ),
    reload,
  };
}

const isSkipped = ({ value }: Step): boolean => value === null;

function begun({ done, record_ids }: LabelBatch): State {
  return { left: record_ids, steps: [], before: done, note: "" };
}

/** It stands first again, as if nothing had been said of it. */
function comeBack(state: State, id: string): State {
  return {
    ...state,
    left: [id, ...state.left.filter((one) => one !== id)],
    steps: state.steps.filter((one) => one.id !== id),
    note: state.steps.find((one) => one.id === id)?.note ?? "",
  };
}
