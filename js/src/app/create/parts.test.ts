import { describe, expect, it } from "vitest";
import type { DetectedPattern } from "../../contract.gen";
import { fieldsOf, NOTHING_TYPED } from "./useForm";
import { rowsAround, shownRows } from "./window";

const PATTERN: DetectedPattern = {
  title: "Support Assistant",
  traces: 12,
  system_prompt: null,
  capabilities: [],
  tools: [],
  tool_count: 0,
  models: [],
  suggested_name: "support-assistant",
  suggested_objective: "Answer better.",
};

describe("fields", () => {
  it("are suggested until somebody types, and never overwritten", () => {
    expect(fieldsOf(NOTHING_TYPED, null)).toEqual({ name: "", objective: "" });
    expect(fieldsOf(NOTHING_TYPED, PATTERN).name).toBe("support-assistant");
    expect(fieldsOf({ name: "mine", objective: null }, PATTERN)).toEqual({
      name: "mine",
      objective: "Answer better.",
    });
    expect(fieldsOf({ name: "", objective: null }, PATTERN).name).toBe("");
  });
});

describe("window", () => {
  it("draws what is in sight of a hundred thousand rows", () => {
    const { first, last } = shownRows(58 * 50_000, 580, 100_000);
    expect([first, last]).toEqual([49_996, 50_014]);
    expect(shownRows(0, 580, 0)).toEqual({ first: 0, last: -1 });
    expect(shownRows(0, 580, 3)).toEqual({ first: 0, last: 2 });
    const { start, count } = rowsAround(first);
    expect(start).toBeLessThanOrEqual(first);
    expect(start + count).toBeGreaterThan(last);
  });
});
