import { EditorView } from "@codemirror/view";
import { act, fireEvent, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { GraderCheck, GraderView, TestView } from "../../contract.gen";
import { FakeModel, showOn, takeDown } from "../../host/testing";
import { GraderDialogWidget } from ".";

Range.prototype.getClientRects = () => [] as unknown as DOMRectList;

const SCRIPT = { type: "python", name: "script", source: "def grade(sample, item): return 1" };
const JUDGE = {
  type: "score_model",
  name: "judge",
  model: "",
  input: [{ role: "user", content: "Grade {{ response }}" }],
};
const VIEW: GraderView = {
  versions: [],
  fields: { records: 3, item: [], labels: [] },
  variables: [{ name: "item.answer", detail: "4" }],
  presets: [{ name: "format", title: "Format", parts: "valid json 0.5", needs_model: false }],
  starts: [
    { type: "python", grader: SCRIPT },
    { type: "score_model", grader: JUDGE },
  ],
  schema: "{}",
  targets: [
    { name: "openai", title: "OpenAI", entry: "grader.json" },
    { name: "trl", title: "TRL", entry: "reward.py" },
  ],
};
const GOOD: GraderCheck = { grader: SCRIPT, hash: "h1", problems: [], missing: [] };
const version = (number: number, in_use: boolean, grader: object = SCRIPT) => ({
  ...{ version: number, hash: `h${number}`, created_at: "2026-01-01T00:00:00Z", in_use },
  grader: grader as Readonly<Record<string, unknown>>,
  connection: null,
});
const TEST: TestView = {
  hash: "h1",
  rows: [
    {
      ...{ record_id: "r1", topic: null, prompt: "[USR] <b>hi</b>", response: "no" },
      ...{ reward: 0.5, raw_reward: 5, parts: [{ name: "__proto__", reward: null }] },
      ...{ reasoning: "<img src=x onerror=alert(1)>", error: null, flags: [] },
    },
    {
      ...{ record_id: "r2", topic: "maths", prompt: "p", response: "" },
      ...{ reward: null, raw_reward: null, parts: [], reasoning: null },
      ...{ error: "ValueError: no (line 2)", flags: ["python_grader_runtime_error"] },
    },
  ],
  ...{ mean: 0.5, std: 0, minimum: 0.5, maximum: 0.5, failures: 1 },
  ...{ differentiates: false, sentence: "No variance" },
};

const settle = () => act(async () => void (await vi.advanceTimersByTimeAsync(400)));

async function open(traits: Record<string, unknown> = {}) {
  const model = new FakeModel({ node: null, jobs: [], revision: 0, ...traits });
  await showOn(model, GraderDialogWidget);
  const answer = (method: string, value: unknown) => act(async () => model.answer(method, value));
  return { model, answer };
}

async function show(view: GraderView = VIEW) {
  const { model, answer } = await open();
  const reload = async (next: GraderView) => {
    act(() => model.set("revision", Number(model.get("revision")) + 1));
    await answer("load", next);
  };
  const given = (method: string) => model.calls(method).at(-1)?.params as Record<string, unknown>;
  await answer("load", view);
  await answer("results", { test: null, labels: null, versions: null });
  return { model, answer, reload, given };
}

async function type(label: string, text: string) {
  const editor = EditorView.findFromDOM(screen.getByRole("textbox", { name: label }));
  const to = editor?.state.doc.length ?? 0;
  await act(async () => editor?.dispatch({ changes: { from: 0, to, insert: text } }));
}

const press = (name: string | RegExp) =>
  act(async () => void fireEvent.click(screen.getByRole("button", { name })));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  takeDown();
  vi.useRealTimers();
});

describe("grader dialog", () => {
  it("begins with nothing, and saves what was written", async () => {
    const { model, answer, reload, given } = await show();
    expect(screen.getByRole("button", { name: "Save" })).toHaveProperty("disabled", true);
    await press(/^Script/);
    await type("Script", "def grade(sample, item): return 0.5");
    await settle();
    expect(JSON.parse(String(given("check").grader)).source).toContain("0.5");
    await answer("check", GOOD);
    await press("Save");
    const saved = { ...SCRIPT, source: "def grade(sample, item): return 0.5" };
    expect(JSON.parse(String(given("save").grader))).toEqual(saved);
    await answer("save", { version: 1, hash: "h1", stale: ["The grader has changed since."] });
    await reload({ ...VIEW, versions: [version(1, true, saved)] });
    expect(screen.getByText("Stale now: The grader has changed since.")).toBeTruthy();
    expect(screen.getByText("Saved")).toBeTruthy();
    expect(model.calls("save")).toHaveLength(1);
  });

  it("shows what is wrong at its place, and the refusal until something is changed", async () => {
    const { model, answer } = await show();
    await press(/^LLM Judge/);
    await settle();
    await answer("check", {
      ...{ grader: JUDGE, hash: "h", missing: ["The model is not configured."] },
      problems: [
        { code: "c", message: "no model", hint: null, where: "model", line: null, column: null },
        {
          code: "c",
          message: "bad name",
          hint: "Use item.",
          where: "input[0].content",
          line: 1,
          column: 10,
        },
        { code: "c", message: "odd", hint: null, where: "elsewhere", line: null, column: null },
      ],
    } satisfies GraderCheck);
    const input = screen.getByRole("textbox", { name: "Model" });
    expect(input.getAttribute("aria-invalid")).toBe("true");
    expect(screen.getByText("Bad name. Use item.")).toBeTruthy();
    expect(screen.getByText(/elsewhere/).parentElement?.textContent).toBe("elsewhere: Odd.");
    expect(screen.getByText(/The model is not configured\./)).toBeTruthy();
    await press("Save");
    await act(async () =>
      model.refuse("save", { code: "grader_invalid", message: "input: bad name", hint: null }),
    );
    expect(screen.getByText("input: bad name")).toBeTruthy();
    await act(async () => void fireEvent.change(input, { target: { value: "m" } }));
    expect(screen.queryByText("input: bad name")).toBeNull();
  });

  it("keeps a draft when another version is saved elsewhere, and says so", async () => {
    const { reload } = await show({ ...VIEW, versions: [version(1, true)] });
    expect(screen.getByText("Saved")).toBeTruthy();
    await type("Script", "mine");
    await reload({
      ...VIEW,
      versions: [version(2, true, { ...SCRIPT, source: "theirs" }), version(1, false)],
    });
    expect(screen.getByText(/Version 2 was saved elsewhere/)).toBeTruthy();
    expect(screen.getByRole("textbox", { name: "Script" }).textContent).toBe("mine");
    await press("Discard Changes");
    expect(screen.getByRole("textbox", { name: "Script" }).textContent).toBe("theirs");
  });

  it("counts as saved where it meant the same as before", async () => {
    const { answer } = await show({ ...VIEW, versions: [version(1, true)] });
    await press("As JSON");
    await type("Grader as JSON", JSON.stringify({ ...SCRIPT, image_tag: null }));
    expect(screen.getByText("Unsaved changes")).toBeTruthy();
    await press("Save");
    await answer("save", { version: 1, hash: "h1", stale: [] });
    expect(screen.getByText("Saved")).toBeTruthy();
  });

  it("imports a script, and no file that is no grader", async () => {
    await show();
    const choose = async (name: string, text: string) => {
      const file = new File([text], name);
      Object.defineProperty(file, "text", { value: async () => text });
      const input = screen.getByLabelText("Grader file");
      await act(async () => void fireEvent.change(input, { target: { files: [file] } }));
    };
    await choose("list.json", "[1]");
    expect(screen.getByText(/list\.json holds no grader/)).toBeTruthy();
    await choose("huge.json", "x".repeat(300_000));
    expect(screen.getByText(/300,000 bytes/)).toBeTruthy();
    await choose("mine.py", "def grade(sample, item): return 0.25");
    expect(screen.getByRole("textbox", { name: "Script" }).textContent).toContain("0.25");
    expect(screen.getByRole("textbox", { name: "Name" })).toHaveProperty("value", "mine");
  });

  it("takes another version over where nothing was changed", async () => {
    const { reload } = await show({ ...VIEW, versions: [version(1, true)] });
    await reload({ ...VIEW, versions: [version(2, true, { ...SCRIPT, source: "theirs" })] });
    expect(screen.getByRole("textbox", { name: "Script" }).textContent).toBe("theirs");
  });

  it("keeps what was written for a type while another one is looked at", async () => {
    await show();
    await press(/^Script/);
    await type("Script", "mine");
    await press(/^LLM Judge/);
    await press(/^Script/);
    expect(screen.getByRole("textbox", { name: "Script" }).textContent).toBe("mine");
  });

  it("shows gradings that failed as failed, and everything as text", async () => {
    const { model, answer } = await show({ ...VIEW, versions: [version(1, true)] });
    act(() => model.set("revision", 1));
    await answer("results", { test: TEST, labels: null, versions: null });
    expect(screen.getByText("No variance")).toBeTruthy();
    expect(screen.getByText("1 of 2")).toBeTruthy();
    expect(screen.getByText("Grading failed")).toBeTruthy();
    expect(screen.getByText("ValueError: no (line 2)")).toBeTruthy();
    expect(screen.getByText("__proto__").nextSibling?.textContent).toBe("failed");
    expect(screen.getByText("<img src=x onerror=alert(1)>")).toBeTruthy();
    expect(document.querySelector("img, b")).toBeNull();
  });

  it("writes the same grader as JSON, and comes back once it is one", async () => {
    const { given } = await show({ ...VIEW, versions: [version(1, true)] });
    await press("As JSON");
    await type("Grader as JSON", "{ no");
    await settle();
    expect(given("check").grader).toBe("{ no");
    expect(screen.getByRole("button", { name: "Form" })).toHaveProperty("disabled", true);
    await type("Grader as JSON", JSON.stringify({ ...SCRIPT, source: "from JSON" }));
    await press("Form");
    expect(screen.getByRole("textbox", { name: "Script" }).textContent).toBe("from JSON");
  });

  it("says why it waits, and what went wrong", async () => {
    await open({ node: { blocked_reason: "Import data first" } });
    expect(screen.getByText("Import data first")).toBeTruthy();
    takeDown();
    const { model } = await open();
    expect(screen.getByRole("status", { name: "Loading" })).toBeTruthy();
    await act(async () => model.refuse("load", { code: "x", message: "No store.", hint: null }));
    await press("Retry");
    await act(async () => model.answer("load", VIEW));
    expect(screen.getByRole("button", { name: /^Script/ })).toBeTruthy();
  });
});
