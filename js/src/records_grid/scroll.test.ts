import { describe, expect, it } from "vitest";
import {
  isMapped,
  lastTop,
  MAX_SPACER,
  ROW,
  scrollOf,
  shownRows,
  spacerOf,
  topOf,
  topShowing,
} from "./scroll";

const small = { rows: 1_000, height: 500 };
const large = { rows: 1_000_000, height: 500 };

describe("scroll", () => {
  it("is the table's own where it fits", () => {
    expect(isMapped(small.rows)).toBe(false);
    expect(spacerOf(small.rows)).toBe(1_000 * ROW);
    for (const top of [0, 17, 40_000, lastTop(small)]) {
      expect(topOf(scrollOf(top, small), small)).toBe(top);
    }
  });

  it("reaches both ends and every row of a million", () => {
    expect(spacerOf(large.rows)).toBe(MAX_SPACER);
    expect(topOf(0, large)).toBe(0);
    expect(topOf(MAX_SPACER - large.height, large)).toBe(lastTop(large));
    expect(shownRows(lastTop(large), large).last).toBe(999_999);
    // One pixel of the scroll bar moves by less than a row.
    expect(topOf(4_000_001, large) - topOf(4_000_000, large)).toBeLessThan(ROW);
    for (const top of [0, 1, ROW, 33_333_333, lastTop(large)]) {
      expect(topOf(scrollOf(top, large), large)).toBeCloseTo(top, 3);
    }
  });

  it("never leaves the table", () => {
    expect(topOf(-50, small)).toBe(0);
    expect(topOf(9e9, large)).toBe(lastTop(large));
    expect(scrollOf(9e9, small)).toBe(lastTop(small));
    expect(lastTop({ rows: 2, height: 500 })).toBe(0);
    expect(shownRows(0, { rows: 0, height: 500 })).toEqual({ first: 0, last: -1 });
  });

  it("moves as little as it has to for a row to be shown whole", () => {
    expect(topShowing(3, 0, small)).toBe(0);
    expect(topShowing(3, 1_000, small)).toBe(3 * ROW);
    expect(topShowing(10, 0, small)).toBe(11 * ROW - 500);
    expect(topShowing(999, 0, small)).toBe(lastTop(small));
  });
});
