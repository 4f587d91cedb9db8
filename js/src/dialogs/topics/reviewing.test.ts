import { describe, expect, it } from "vitest";
import type { ReviewItem } from "../../contract.gen";
import { EMPTY, type Review, reduce, type Step, skippedOf } from "./reviewing";
import { itemOf } from "./testing";

const [a, b, c] = [itemOf("a"), itemOf("b"), itemOf("c")];
const run = (...steps: readonly Step[]): Review => steps.reduce(reduce, EMPTY);
const loaded = (...queue: readonly ReviewItem[]): Step => ({ kind: "loaded", queue });
const accept: Step = { kind: "decide", topic: "A" };
const skip: Step = { kind: "skip" };
const undo: Step = { kind: "undo" };

describe("the review queue", () => {
  it("goes on at once, before the kernel has answered", () => {
    const state = run(loaded(a, b, c), accept, accept);
    expect(state.current).toBe(c);
    expect(state.done.map((one) => one.item.record_id)).toEqual(["a", "b"]);
  });

  it("does not bring back what was decided, when an older answer comes late", () => {
    expect(run(loaded(a, b, c), accept, loaded(a, b, c)).current).toBe(b);
  });

  it("keeps what is on screen when the order changes", () => {
    expect(run(loaded(a, b, c), loaded(c, b, a)).current).toBe(a);
  });

  it("goes on when somebody else decided what is on screen", () => {
    expect(run(loaded(a, b, c), loaded(b, c)).current).toBe(b);
  });

  it("takes decisions back one after the other", () => {
    const state = run(loaded(a, b, c), accept, accept, undo, undo);
    expect(state.current).toBe(a);
    expect(state.done).toEqual([]);
    expect(reduce(state, undo)).toBe(state);
  });

  it("holds what was taken back until the queue has it again", () => {
    const state = run(loaded(a, b), accept, loaded(b), undo, loaded(b));
    expect(state.current).toBe(a);
    expect(reduce(state, loaded(a, b)).held).toBeNull();
  });

  it("brings a decision back that was refused", () => {
    const state = run(loaded(a, b), accept, { kind: "refused", item: a });
    expect(state.current).toBe(a);
    expect(state.done).toEqual([]);
  });

  it("leaves skipped records out, until they are asked for again", () => {
    const state = run(loaded(a, b), skip, skip);
    expect(state.current).toBeNull();
    expect(skippedOf(state)).toBe(2);
    expect(reduce(state, { kind: "again" }).current).toBe(a);
  });

  it("decides nothing when there is nothing", () => {
    expect(reduce(EMPTY, accept)).toBe(EMPTY);
    expect(reduce(EMPTY, skip)).toBe(EMPTY);
  });
});
