import { describe, expect, it } from "vitest";
import { DIALOG_TITLES, type DialogName } from "../contract.gen";
import type { Place } from "../host/navigation";
import { format, LIST, type Open, parse, type Route } from "./router";

function opened(address: string): Open {
  const [path = "", query = ""] = address.split("?");
  return parse(path, query);
}

const ids = ["ds_0a1b2c", "x", "A-b_9", "new1"];
const routes: readonly Route[] = [
  LIST,
  { ...LIST, page: "list", search: "a & b=c? é#%", status: "training", sort: "records" } as Route,
  { page: "create" },
  ...ids.flatMap((id): Route[] => [
    { page: "canvas", id },
    { page: "settings", id },
  ]),
  { page: "unknown", path: "optimization/x/y/z" },
  { page: "unknown", path: "elsewhere" },
];
const places: readonly Place[] = [
  ...Object.keys(DIALOG_TITLES).map(
    (name): Place => ({ kind: "dialog", name: name as DialogName }),
  ),
  { kind: "records", preset: {} },
  { kind: "records", preset: { where: { valid: false }, badge: "Invalid records" } },
  { kind: "records", preset: { where: { low_confidence: true }, badge: "Low confidence" } },
  { kind: "records", preset: { where: { topic: "A/B & C" }, badge: "Some records" } },
  {
    kind: "records",
    preset: { where: { min_score: 0, max_score: 0.25, dry_run: "dry_1" }, badge: "Some records" },
  },
];

describe("an address", () => {
  it("says all that is open, and opens it again", () => {
    for (const route of routes) {
      const open = { route, places: [] };
      expect(opened(format(open)), format(open)).toEqual(open);
    }
    for (const place of places) {
      const open: Open = { route: { page: "canvas", id: "ds_1" }, places: [place] };
      expect(opened(format(open)), format(open)).toEqual(open);
    }
  });

  it("is the same again, whatever one was given", () => {
    const parts = ["optimization", "new", "settings", "ds_1", "", "..", "<b>", "a b", "é"];
    const queries = ["", "node=4", "node=99", "dialog=grader", "dialog=toString", "records=true"];
    queries.push("records=true&filter=invalid&code=duplicate", "filter=constructor&records=true");
    queries.push("status=nope&sort=nope&search=%", "min_score=abc&records=true");
    for (const a of parts)
      for (const b of parts)
        for (const c of parts)
          for (const query of queries) {
            const once = format(parse([a, b, c].filter(Boolean).join("/"), query));
            expect(format(opened(once))).toBe(once);
          }
  });

  it.each([
    ["optimization?node=4", []],
    ["optimization/ds_1?node=4", [{ kind: "dialog", name: "grader" }]],
    ["optimization/ds_1?node=0", []],
    ["optimization/ds_1?dialog=grader", [{ kind: "dialog", name: "grader" }]],
    ["optimization/ds_1?dialog=toString", []],
    [
      "optimization/ds_1?records=true&filter=invalid",
      [{ kind: "records", preset: { where: { valid: false }, badge: "Invalid records" } }],
    ],
    ["optimization/ds_1/settings?dialog=grader", []],
  ])("%s opens what it names", (address, expected) => {
    expect(opened(address).places).toEqual(expected);
  });

  it.each([
    "",
    "elsewhere",
    "optimization/a/b",
    "optimization/a/settings/more",
    "optimization/a b",
  ])("%j is none of ours", (path) => {
    expect(parse(path, "").route).toEqual({ page: "unknown", path });
  });

  it("names the uppermost of what stands above each other", () => {
    const stack: readonly Place[] = [
      { kind: "dialog", name: "coverage" },
      { kind: "dialog", name: "generate" },
    ];
    expect(format({ route: { page: "canvas", id: "a" }, places: stack })).toBe(
      "optimization/a?dialog=generate",
    );
  });
});
