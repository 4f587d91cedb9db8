import { describe, expect, it } from "vitest";
import type { TopicRow } from "../../contract.gen";
import { rowsOf } from "./testing";
import { followed, moveOf, places, shownRows, stepOf } from "./tree";

const rows = rowsOf("A", "A/x", "A/x/1", "A/y", "B", "AB");
const paths = (found: readonly TopicRow[]) => found.map((row) => row.path);

describe("rows that are shown", () => {
  it("hides what lies below a folded row, and nothing whose name begins alike", () => {
    expect(paths(shownRows(rows, new Set(["A"]), ""))).toEqual(["A", "B", "AB"]);
    expect(paths(shownRows(rows, new Set(["A/x"]), ""))).toEqual(["A", "A/x", "A/y", "B", "AB"]);
  });

  it("shows what a search finds with what it lies under, folded or not", () => {
    expect(paths(shownRows(rows, new Set(["A"]), " 1 "))).toEqual(["A", "A/x", "A/x/1"]);
    expect(shownRows(rows, new Set(), "nothing")).toEqual([]);
  });

  it("searches descriptions and keywords", () => {
    const [first, ...rest] = rowsOf("A", "B");
    const described = [{ ...(first as TopicRow), keywords: ["Refund"] }, ...rest];
    expect(paths(shownRows(described, new Set(), "refund"))).toEqual(["A"]);
  });
});

it("knows the place of a topic among its siblings", () => {
  expect(places(rows).get("A/y")).toEqual({ position: 2, size: 2 });
  expect(places(rows).get("AB")).toEqual({ position: 3, size: 3 });
});

describe("moves", () => {
  it.each([
    ["B", "A", "inside", { parent: "A", position: null }],
    ["B", "A/y", "before", { parent: "A", position: 1 }],
    ["A/y", "A/x", "before", { parent: "A", position: 0 }],
    ["A", "AB", "after", { parent: "", position: 2 }],
    ["AB", "A", "before", { parent: "", position: 0 }],
  ] as const)("%s onto %s, %s", (path, onto, drop, move) => {
    expect(moveOf(rows, path, onto, drop)).toEqual(move);
  });

  it.each([
    ["A", "A/x", "inside"], // below itself
    ["A", "A", "after"],
    ["A/x", "A", "inside"], // where it is
    ["A/x", "A/y", "before"],
    ["B", "A", "after"],
  ] as const)("%s onto %s, %s is none", (path, onto, drop) => {
    expect(moveOf(rows, path, onto, drop)).toBeNull();
  });

  it("goes one step among the siblings, and not beyond an end", () => {
    expect(stepOf(rows, "B", -1)).toEqual({ parent: "", position: 0 });
    expect(stepOf(rows, "A/x", 1)).toEqual({ parent: "A", position: 1 });
    expect(stepOf(rows, "A", -1)).toBeNull();
    expect(stepOf(rows, "A/y", 1)).toBeNull();
  });
});

it("follows a path whose beginning has another name", () => {
  expect(["A", "A/x", "AB", "B"].map((path) => followed(path, "A", "Z/A"))).toEqual([
    "Z/A",
    "Z/A/x",
    "AB",
    "B",
  ]);
});
