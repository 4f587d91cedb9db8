import { expect, it } from "vitest";
import { estimateWords, minutesWords, money, pastErrorWords } from "./spending";

const ESTIMATE = {
  ...{ calls: 1200, prompt_tokens: 90_000, completion_tokens: 10_000 },
  ...{ cost_micro_usd: 1_234_567, minutes: 2.5, past_error: null },
};

it("writes money, and claims nothing of what is not known", () => {
  expect([0, 1, 9_999, 10_000, 1_234_567, 1_234_000_000, null].map(money)).toEqual([
    ...["$0.00", "<$0.01", "<$0.01", "$0.01", "$1.23", "$1,234.00", "Unknown"],
  ]);
  expect([0.001, 90, null].map(minutesWords)).toEqual(["about 1 s", "about 1 h 30 min", "unknown"]);
});

it("writes an estimate in a line", () => {
  expect(estimateWords(ESTIMATE)).toBe(
    "About 1,200 calls, 100,000 tokens, $1.23, about 2 min 30 s.",
  );
  expect(estimateWords({ ...ESTIMATE, cost_micro_usd: null, minutes: null })).toBe(
    "About 1,200 calls, 100,000 tokens, at an unknown price.",
  );
  expect(estimateWords({ ...ESTIMATE, calls: 0 })).toBe("No call.");
});

it("says how far earlier estimates were off", () => {
  expect(pastErrorWords(ESTIMATE)).toBeNull();
  const past = { works: 1, ratio: 1.2, lowest: 1.2, highest: 1.2 };
  expect(pastErrorWords({ ...ESTIMATE, past_error: past })).toContain("120%");
  const several = { works: 4, ratio: 1, lowest: 0.8, highest: 1.4 };
  expect(pastErrorWords({ ...ESTIMATE, past_error: several })).toBe(
    "In 4 earlier cases it came to 80% to 140% of the estimate, 100% in the middle.",
  );
});
