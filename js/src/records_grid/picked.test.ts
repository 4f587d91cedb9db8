import { describe, expect, it } from "vitest";
import { asSelection, isNothing, isPicked, keyOf, NOTHING, pick, pickAll, unpick } from "./picked";

describe("a selection", () => {
  it("is of ids until a whole filter is selected", () => {
    const two = pick(NOTHING, ["a", "b"]);
    expect(asSelection(unpick(two, ["a"]))).toEqual({ ids: ["b"] });
    expect(isNothing(unpick(two, ["a", "b"]))).toBe(true);
  });

  it("of a filter leaves some out and keeps what was selected before", () => {
    const all = pickAll(pick(NOTHING, ["z"]), { valid: false });
    expect(isPicked(all, "a", true)).toBe(true);
    expect(isPicked(all, "a", false)).toBe(false);
    expect(isPicked(all, "z", false)).toBe(true);
    const less = unpick(all, ["a", "z"]);
    expect(isPicked(less, "a", true)).toBe(false);
    expect(isPicked(less, "z", false)).toBe(false);
    expect(asSelection(less)).toEqual({
      where: { valid: false },
      except_ids: ["a", "z"],
      also_ids: [],
    });
    const again = pick(less, ["a"]);
    expect(isPicked(again, "a", false)).toBe(true);
    expect(asSelection(again)).toEqual({
      where: { valid: false },
      except_ids: ["z"],
      also_ids: ["a"],
    });
  });

  it("of everything names no id", () => {
    expect(asSelection(pickAll(NOTHING, {}))).toEqual({ where: {}, except_ids: [], also_ids: [] });
    expect(isNothing(pickAll(NOTHING, {}))).toBe(false);
  });

  it("knows a filter by what it says", () => {
    expect(keyOf({ valid: true, search: "a" })).toBe(keyOf({ search: "a", valid: true }));
    expect(keyOf(null)).not.toBe(keyOf({}));
  });
});
