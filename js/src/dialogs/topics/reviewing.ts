// The review queue on the page: one record at a time, answered at once and told to the kernel in order.
import type { ReviewItem } from "../../contract.gen";

export interface Done {
  readonly item: ReviewItem;
  /** What it was put under; `null` when it was skipped. */
  readonly topic: string | null;
}

export interface Review {
  readonly queue: readonly ReviewItem[];
  readonly current: ReviewItem | null;
  readonly done: readonly Done[];
  /** Records that do not come again by themselves: decided or skipped here. */
  readonly passed: ReadonlySet<string>;
  /** The record that was taken back, until the kernel's queue has it again. */
  readonly held: ReviewItem | null;
}

export type Step =
  | { readonly kind: "loaded"; readonly queue: readonly ReviewItem[] }
  | { readonly kind: "decide"; readonly topic: string }
  | { readonly kind: "skip" }
  | { readonly kind: "undo" }
  | { readonly kind: "refused"; readonly item: ReviewItem }
  | { readonly kind: "again" };

export const EMPTY: Review = { queue: [], current: null, done: [], passed: new Set(), held: null };

export function reduce(state: Review, step: Step): Review {
  switch (step.kind) {
    case "loaded": {
      // What is on screen stays, as long as it waits for review.
      const { queue } = step;
      const same = queue.find((item) => item.record_id === state.current?.record_id);
      const held = queue.some((item) => item.record_id === state.held?.record_id)
        ? null
        : state.held;
      return { ...state, queue, held, current: same ?? held ?? next(queue, state.passed) };
    }
    case "decide":
      return state.current ? pass(state, { item: state.current, topic: step.topic }) : state;
    case "skip":
      return state.current ? pass(state, { item: state.current, topic: null }) : state;
    case "undo": {
      const last = state.done.at(-1);
      return last ? back({ ...state, done: state.done.slice(0, -1) }, last.item) : state;
    }
    case "refused": {
      const done = state.done.filter((one) => one.item.record_id !== step.item.record_id);
      return back({ ...state, done }, step.item);
    }
    case "again": {
      const skipped = state.done.filter((one) => one.topic === null);
      const passed = new Set(state.passed);
      for (const { item } of skipped) passed.delete(item.record_id);
      return {
        ...state,
        passed,
        done: state.done.filter((one) => one.topic !== null),
        current: next(state.queue, passed),
      };
    }
  }
}

export const skippedOf = (state: Review): number =>
  state.done.filter((one) => one.topic === null).length;

function next(queue: readonly ReviewItem[], passed: ReadonlySet<string>): ReviewItem | null {
  return queue.find((item) => !passed.has(item.record_id)) ?? null;
}

function pass(state: Review, done: Done): Review {
  const passed = new Set(state.passed).add(done.item.record_id);
  const all = [...state.done, done];
  return { ...state, passed, done: all, held: null, current: next(state.queue, passed) };
}

/** A record is on screen again. */
function back(state: Review, item: ReviewItem): Review {
  const passed = new Set(state.passed);
  passed.delete(item.record_id);
  return { ...state, passed, held: item, current: item };
}
