import { describe, expect, it } from "vitest";
import type { GraderProblem } from "../../contract.gen";
import { type Draft, isSame, sourceOf, unplaced } from "./draft";
import { placedInJson } from "./jsonPlaces";
import { formulaOf, renamed, weightsOf } from "./weights";

const problem = (where: string, more: Partial<GraderProblem> = {}): GraderProblem => ({
  ...{ code: "grader_invalid", message: "it is wrong", hint: null, line: null, column: null },
  where,
  ...more,
});

describe("weights", () => {
  it("reads and writes a sum of weights", () => {
    expect([...(weightsOf("0.7 * a + b*0.25 + c") ?? [])]).toEqual([
      ["a", 0.7],
      ["b", 0.25],
      ["c", 1],
    ]);
    expect(formulaOf(new Map([["a", 0.5]]))).toBe("0.5 * a");
  });

  it.each(["min(a, b)", "a * b", "a + a", "a - b", "(a + b) / 2", "", "2 * 3"])(
    "leaves %j alone",
    (formula) => expect(weightsOf(formula)).toBeNull(),
  );

  it("renames whole names only", () => {
    expect(renamed("a + aa * max(a, b_a)", "a", "near")).toBe("near + aa * max(near, b_a)");
  });
});

describe("placedInJson", () => {
  const text = JSON.stringify(
    { graders: { "a.b": { input: [{}, { content: "{{ x }}" }] }, a: { source: "x" } } },
    null,
    2,
  );
  const lineOf = (where: string) => placedInJson(text, [problem(where)])[0]?.line;
  const lineWith = (words: string) => text.split("\n").findIndex((l) => l.includes(words)) + 1;

  it("finds a value by its path, keys with dots included", () => {
    expect(lineOf("graders.a.b.input[1].content")).toBe(lineWith('"content"'));
    expect(lineOf("graders.a.source")).toBe(lineWith('"source"'));
  });

  it("goes as near as there is something", () => {
    expect(lineOf("graders.a.missing")).toBe(lineWith('"a": {'));
    expect(lineOf("calculate_output")).toBe(1);
    expect(placedInJson("", [problem("graders")])[0]?.line).toBe(1);
  });

  it("takes the place of what is no JSON as it is told", () => {
    const [found] = placedInJson("{", [problem("", { line: 3, column: 2 })]);
    expect(found).toMatchObject({ line: 3, column: 2, message: "It is wrong." });
  });
});

describe("drafts", () => {
  const draft = (grader: Draft["grader"], more: Partial<Draft> = {}): Draft => ({
    ...{ grader, connection: null, text: null },
    ...more,
  });

  it("are the same whatever the order of keys, and however they are written", () => {
    const one = draft({ type: "python", source: "x", name: "a" });
    expect(isSame(one, draft({ name: "a", source: "x", type: "python" }))).toBe(true);
    expect(isSame(one, draft({}, { text: '{"name":"a","type":"python","source":"x"}' }))).toBe(
      true,
    );
    expect(isSame(one, draft({ type: "python", source: "y", name: "a" }))).toBe(false);
    expect(isSame(one, draft(one.grader, { text: "{" }))).toBe(false);
  });

  it("reach the kernel as they are typed", () => {
    expect(sourceOf(draft({}, { text: "{ no json" }))).toBe("{ no json");
  });

  it("name every problem that no field shows", () => {
    const multi = { type: "multi", graders: { a: {}, b: {} } };
    const places = (where: string[]) =>
      unplaced(
        where.map((one) => problem(one)),
        multi,
        "a",
      ).map((one) => one.where);
    expect(
      places(["graders.a.input", "graders.b.input", "graders", "calculate_output", ""]),
    ).toEqual(["graders.b.input", "graders", ""]);
    expect(unplaced([problem("connection")], { type: "score_model" }, null)).toEqual([]);
    expect(unplaced([problem("connection")], { type: "python" }, null)).toHaveLength(1);
  });
});
