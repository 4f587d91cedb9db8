import { describe, expect, it } from "vitest";
import { ago, duration } from "./time";

describe("times", () => {
  const now = Date.parse("2026-03-04T12:00:00Z");
  it.each([
    ["2026-03-04T11:59:40Z", "just now"],
    ["2026-03-04T11:57:00Z", "3 minutes ago"],
    ["2026-03-03T12:00:00Z", "yesterday"],
    ["2025-03-03T12:00:00Z", "last year"],
  ])("says %s as %s", (iso, words) => expect(ago(iso, now)).toBe(words));

  it.each([
    [4.4, "4 s"],
    [64, "1 min 4 s"],
    [3_900, "1 h 5 min"],
  ])("says %d s as %s", (seconds, words) => expect(duration(seconds)).toBe(words));
});
