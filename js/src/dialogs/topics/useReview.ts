// Connects the review queue with the kernel: decisions are shown at once and stored in order.
import { useCallback, useEffect, useReducer, useRef, useState } from "react";
import type { Problem, ReviewItem, TopicsDialogCalls } from "../../contract.gen";
import { asProblem, type Loaded, useLoaded } from "../../host/loaded";
import type { Rpc } from "../../host/rpc";
import { EMPTY, type Review, reduce, skippedOf } from "./reviewing";

export type Order = TopicsDialogCalls["review"]["params"]["order"];

export interface Reviewing {
  readonly state: Review;
  readonly order: Order;
  readonly loaded: Loaded<readonly ReviewItem[]>;
  readonly problem: Problem | null;
  setOrder(order: Order): void;
  decide(topic: string): void;
  skip(): void;
  undo(): void;
  again(): void;
}

const AHEAD = 40; // records that are loaded beyond those that were skipped
const MOST = 5_000; // that the kernel gives at once

export function useReview(
  rpc: Rpc<TopicsDialogCalls>,
  revision: number,
  isShown: boolean,
): Reviewing {
  const [state, dispatch] = useReducer(reduce, EMPTY);
  const [order, setOrder] = useState<Order>("confidence");
  const [problem, setProblem] = useState<Problem | null>(null);
  const skipped = skippedOf(state);
  const limit = Math.min(MOST, AHEAD + skipped);

  const loaded = useLoaded<readonly ReviewItem[]>(
    (signal) => (isShown ? rpc.call("review", { order, limit }, signal) : Promise.resolve([])),
    { revision: revision * MOST + skipped, subject: `${isShown} ${order}` },
  );
  const { value } = loaded;
  useEffect(() => {
    if (value && isShown) dispatch({ kind: "loaded", queue: value });
  }, [value, isShown]);

  const line = useRef(Promise.resolve());
  const tell = useCallback((item: ReviewItem, call: () => Promise<unknown>) => {
    setProblem(null);
    line.current = line.current.then(async () => {
      try {
        await call();
      } catch (error) {
        setProblem(asProblem(error));
        dispatch({ kind: "refused", item });
      }
    });
  }, []);

  const { current, done } = state;
  return {
    state,
    order,
    loaded,
    problem,
    setOrder,
    decide: (topic) => {
      if (!current) return;
      dispatch({ kind: "decide", topic });
      tell(current, () => rpc.call("confirm", { record_id: current.record_id, topic }));
    },
    skip: () => dispatch({ kind: "skip" }),
    undo: () => {
      const last = done.at(-1);
      if (!last) return;
      dispatch({ kind: "undo" });
      const { record_id } = last.item;
      if (last.topic !== null) tell(last.item, () => rpc.call("undo_confirm", { record_id }));
    },
    again: () => dispatch({ kind: "again" }),
  };
}
