import { describe, expect, it } from "vitest";
import { linear } from "./scale";

describe("a scale", () => {
  it("puts values in their places, and finds them again", () => {
    const scale = linear([10, 20], [100, 0]);
    expect([10, 12.5, 20].map(scale)).toEqual([100, 75, 0]);
    expect(scale.invert(75)).toBe(12.5);
  });

  it.each([
    [[0, 1], 4, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [[0, 0.3], 3, [0, 0.1, 0.2, 0.3]],
    [[0, 1000], 4, [0, 200, 400, 600, 800, 1000]],
    [[-0.05, 0.12], 4, [-0.05, 0, 0.05, 0.1]],
    [[3, 3], 4, [3]],
  ] as const)("has round numbers within %j", ([from, to], count, expected) => {
    expect(linear([from, to], [0, 100]).ticks(count)).toEqual(expected);
  });

  it("begins and ends with round numbers when it is nice", () => {
    const scale = linear([0.13, 0.87], [0, 100]).nice(4);
    expect([scale.invert(0), scale.invert(100)]).toEqual([0, 1]);
  });

  it("stays finite where there is but one value", () => {
    expect(linear([5, 5], [0, 100])(5)).toBe(50);
  });
});
