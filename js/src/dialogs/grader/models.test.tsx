import { act, fireEvent, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { GraderCheck, GraderView, ModelChoice, WorkEstimate } from "../../contract.gen";
import { FakeModel, showOn, takeDown } from "../../host/testing";
import { GraderDialogWidget } from ".";
import { withModel } from "./draft";

Range.prototype.getClientRects = () => [] as unknown as DOMRectList;

const JUDGE = {
  type: "score_model",
  name: "judge",
  model: "old",
  input: [{ role: "user", content: "Grade {{ response }}" }],
};
const VIEW: GraderView = {
  versions: [],
  fields: { records: 3, item: [], labels: [] },
  variables: [],
  presets: [],
  starts: [{ type: "score_model", grader: JUDGE }],
  schema: "{}",
  targets: [
    { name: "openai", title: "OpenAI", entry: "grader.json" },
    { name: "trl", title: "TRL", entry: "reward.py" },
  ],
};
const CHECK: GraderCheck = { grader: JUDGE, hash: "h1", problems: [], missing: [] };
const model = (name: string, served: string, notice = ""): ModelChoice => ({
  ...{ name, model: served, notice, missing: "", works: null },
});
const MODELS = [model("careful", "judge-1", "Gone on 2026-12-01."), model("quick", "judge-2")];
const ESTIMATE: WorkEstimate = {
  ...{ calls: 5, prompt_tokens: 2000, completion_tokens: 300, cost_micro_usd: 12_000 },
  ...{ minutes: null, past_error: null },
};

async function show() {
  const kernel = new FakeModel({ node: null, jobs: [], revision: 0 });
  await showOn(kernel, GraderDialogWidget);
  const answer = (method: string, value: unknown) => act(async () => kernel.answer(method, value));
  await answer("load", VIEW);
  await answer("results", { test: null, labels: null, versions: null });
  await answer("models", MODELS);
  await press(/LLM Judge/);
  const given = (method: string) =>
    kernel.calls(method).at(-1)?.params as { grader: string; connection: unknown };
  return { answer, given, calls: (method: string) => kernel.calls(method).length };
}

const wait = (ms: number) => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));
const press = (name: string | RegExp) =>
  act(async () => void fireEvent.click(screen.getByRole("button", { name })));
const pick = (label: string, value: string) =>
  act(async () => void fireEvent.change(screen.getByLabelText(label), { target: { value } }));

describe("where a judge is asked", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    takeDown();
    vi.useRealTimers();
  });

  it("is a named connection, whose model the judge gets, at a price that is said", async () => {
    const { answer, given, calls } = await show();
    expect(screen.queryByLabelText("Base URL")).toBeNull();
    await pick("Connection", "careful");
    expect(screen.getByText("Gone on 2026-12-01.")).toBeTruthy();
    await wait(400);
    expect(given("check").connection).toBe("careful");
    expect(JSON.parse(given("check").grader).model).toBe("judge-1");
    await answer("check", CHECK);
    expect(calls("estimate")).toBe(0);
    await wait(800);
    expect(given("estimate").connection).toBe("careful");
    await answer("estimate", ESTIMATE);
    expect(screen.getByText(/A test: About 5 calls, 2,300 tokens, \$0\.01/)).toBeTruthy();
    await pick("Connection", "quick");
    await wait(400);
    expect(JSON.parse(given("check").grader).model).toBe("judge-2");
  });

  it("may be any other address", async () => {
    const { given } = await show();
    await press("Use an Address…");
    await act(
      async () =>
        void fireEvent.change(screen.getByLabelText("Base URL"), {
          target: { value: "http://127.0.0.1:1/v1" },
        }),
    );
    await wait(400);
    expect(given("check").connection).toMatchObject({ base_url: "http://127.0.0.1:1/v1" });
    expect(JSON.parse(given("check").grader).model).toBe("old");
  });

  it("may be several for a panel", async () => {
    const { answer, given } = await show();
    await press("Make a Panel…");
    const make = screen.getByRole("button", { name: "Make Panel" });
    expect(make).toHaveProperty("disabled", true);
    await act(async () => void fireEvent.click(screen.getByLabelText("careful · judge-1")));
    await act(async () => void fireEvent.click(screen.getByLabelText("quick · judge-2")));
    await press("Make Panel");
    expect(given("panel")).toMatchObject({ connections: ["careful", "quick"], repeats: 1 });
    const graders = { judge_1: { ...JUDGE, model: "judge-1" }, judge_2: JUDGE };
    await answer("panel", { type: "multi", graders, calculate_output: "(judge_1 + judge_2) / 2" });
    await wait(400);
    expect(given("check").connection).toEqual(["careful", "quick"]);
    await pick("Connection 2", "");
    await wait(400);
    expect(given("check").connection).toBe("careful");
  });
});

describe("the model of a named connection", () => {
  it("goes to every judge but to those of a panel", () => {
    const script = { type: "python", source: "" };
    const one = { type: "multi", graders: { a: JUDGE, b: script } };
    expect(withModel(one, "new")).toEqual({
      ...one,
      graders: { a: { ...JUDGE, model: "new" }, b: script },
    });
    const panel = {
      type: "multi",
      graders: { a: JUDGE, b: { ...JUDGE, model: "other" }, c: { ...JUDGE, model: "" } },
    };
    expect(withModel(panel, "new").graders).toEqual({
      ...panel.graders,
      c: { ...JUDGE, model: "new" },
    });
  });
});
