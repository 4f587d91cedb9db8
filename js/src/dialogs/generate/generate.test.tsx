import { act, fireEvent, screen } from "@testing-library/react";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import type { GenerateOptions, GenerationPlan } from "../../contract.gen";
import { FakeModel, showOn, takeDown } from "../../host/testing";
import { GenerateDialogWidget } from ".";

beforeAll(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});
afterEach(takeDown);

const XSS = "<img src=x onerror=alert(1)>";

const OPTIONS: GenerateOptions = {
  config: {
    ...{ source: "gaps", topics: [], selection: null, records_per_topic: 20, strategy: null },
    ...{ variations_per_record: 3, preserve_intent: true, temperature: 0.7, retries: 3 },
    ...{ max_synthetic_ratio: 0.3, min_length: 20, max_length: 2000 },
    near_duplicate_threshold: 0.9,
  },
  strategies: [
    { name: "few_shot", words: "Like a few recorded ones." },
    { name: "topic_description", words: "From the description." },
    { name: "tool_chain", words: "Tools in order." },
  ],
  topics: [XSS, "Returns"],
  missing: "Generating asks a language model, and there is none.",
};

const PLAN: GenerationPlan = {
  topics: [
    {
      ...{ topic: XSS, current: 40, target_percentage: 50, wanted: 2000, to_generate: 1200 },
      strategy: "few_shot",
    },
  ],
  ...{ total: 1200, wanted: 2000, room: 1200, synthetic_share: 0.3 },
  ...{ balance_before: 0.1, balance_after: 0.52, input_tokens: 9000, output_tokens: 150 },
  cost_micro_usd: null,
};

async function show(options: GenerateOptions = OPTIONS) {
  const model = new FakeModel({ name: "S", revision: 1, node: null, problem: null });
  const el = await showOn(model, GenerateDialogWidget);
  await act(async () => model.answer("load", options));
  return { model, el };
}

const later = () => act(async () => void vi.advanceTimersByTime(300));

function lastConfig(model: FakeModel): GenerateOptions["config"] {
  const [last] = model.calls("plan").slice(-1);
  if (!last) throw new Error("no plan was asked for");
  return (last.params as Pick<GenerateOptions, "config">).config;
}

it("shows Python's plan, and why nothing can be generated", async () => {
  const { model, el } = await show();
  expect(lastConfig(model)).toEqual(OPTIONS.config);
  await act(async () => model.answer("plan", PLAN));
  const words = el.textContent;
  expect(words).toContain("0.10 → 0.52");
  expect(words).toContain("9,150");
  expect(words).toContain("CostUnknown");
  expect(words).toContain("2,000 records would be needed");
  expect(words).toContain("at most 30% of the dataset, which leaves room for 1,200");
  expect(words).toContain("Like a few recorded ones.");
  expect(words).not.toContain("Tools in order.");
  expect(el.querySelector("img")).toBeNull();
  const generate = screen.getByRole("button", { name: "Generate" });
  expect(generate).toHaveProperty("disabled", true);
  const why = document.getElementById(generate.getAttribute("aria-describedby") ?? "");
  expect(why?.textContent).toBe(OPTIONS.missing);
});

it("plans again for other settings, once they rest", async () => {
  const { model, el } = await show();
  await act(async () => model.answer("plan", PLAN));
  const share = screen.getByLabelText("Largest share of generated records");
  act(() => {
    fireEvent.change(share, { target: { value: "0.1" } });
    fireEvent.blur(share);
  });
  const source = screen.getByLabelText("Generate from");
  act(() => void fireEvent.change(source, { target: { value: "topics" } }));
  expect(model.calls("plan")).toHaveLength(1);
  await later();
  expect(model.calls("plan")).toHaveLength(2);
  expect(lastConfig(model)).toMatchObject({ source: "topics", max_synthetic_ratio: 0.1 });
  await act(async () => model.answer("plan", { ...PLAN, topics: [], total: 0, wanted: 0 }));
  expect(el.textContent).toContain("Choose at least one topic.");
  act(() => void fireEvent.click(screen.getByLabelText("Returns")));
  await later();
  expect(lastConfig(model).topics).toEqual(["Returns"]);
});

it("offers selected records only where some are selected", async () => {
  await show();
  const source = screen.getByLabelText("Generate from");
  expect([...source.querySelectorAll("option")].map((one) => one.value)).toEqual([
    ...["gaps", "topics"],
  ]);
});

it("says what comes first where there are no topics", async () => {
  const { model } = await show({ ...OPTIONS, topics: [] });
  expect(model.calls("plan")).toHaveLength(0);
  fireEvent.click(screen.getByRole("button", { name: "Open Topics & Category" }));
  expect(model.calls("open_dialog")[0]?.params).toEqual({ dialog: "topics" });
});

it("says why a plan cannot be, and keeps the settings", async () => {
  const { model } = await show();
  const error = { code: "invalid_argument", message: "The shortest is longer.", hint: null };
  await act(async () => model.refuse("plan", error));
  expect(screen.getByRole("alert").textContent).toContain("The shortest is longer.");
  expect(screen.getByLabelText("Generate from")).toBeTruthy();
});
