import { act, fireEvent, screen } from "@testing-library/react";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import type { GenerateOptions } from "../../contract.gen";
import type { FakeModel } from "../../host/testing";
import { takeDown } from "../../host/testing";
import { batchOf, CONFIG, JOB, MODEL, OPTIONS, PLAN, show, XSS } from "./testing";

beforeAll(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});
afterEach(takeDown);

const later = () => act(async () => void vi.advanceTimersByTime(300));
const button = (name: string | RegExp) => screen.getByRole("button", { name });

function lastPlan(model: FakeModel): { config: GenerateOptions["config"]; model: string | null } {
  const [last] = model.calls("plan").slice(-1);
  if (!last) throw new Error("no plan was asked for");
  return last.params as { config: GenerateOptions["config"]; model: string | null };
}

const planning = async () => {
  const shown = await show(null);
  await act(async () => shown.model.answer("models", [MODEL]));
  return shown;
};

it("shows Python's plan at the price of the only model there is", async () => {
  const { model, el } = await planning();
  expect(lastPlan(model)).toEqual({ config: CONFIG, model: "writer" });
  const estimate = {
    ...{ calls: 240, prompt_tokens: 9000, completion_tokens: 150, minutes: 2.5 },
    cost_micro_usd: 1_230_000,
    past_error: { works: 3, ratio: 1.1, lowest: 0.9, highest: 1.3 },
  };
  await act(async () => model.answer("plan", { ...PLAN, estimate }));
  const words = el.textContent;
  expect(words).toContain("0.10 → 0.52");
  expect(words).toContain("9,150");
  expect(words).toContain("$1.23");
  expect(words).toContain("about 2 min 30 s");
  expect(words).toContain("90% to 130% of the estimate");
  expect(words).toContain("2,000 records would be needed");
  expect(words).toContain("at most 30% of the dataset, which leaves room for 1,200");
  expect(words).toContain("Like a few recorded ones.");
  expect(words).not.toContain("Tools in order.");
  expect(el.querySelector("img")).toBeNull();
  expect(button("Generate 1,200 Records")).toHaveProperty("disabled", false);
});

it("begins with the settings, the model and the most to spend", async () => {
  const { model } = await planning();
  await act(async () => model.answer("plan", PLAN));
  act(
    () =>
      void fireEvent.change(screen.getByLabelText(/Most to spend/), { target: { value: "2.5" } }),
  );
  await act(async () => fireEvent.click(button("Generate 1,200 Records")));
  expect(model.calls("generate")[0]?.params).toEqual({
    ...{ config: CONFIG, model: "writer", max_cost_usd: 2.5 },
  });
  await act(async () => model.answer("generate", { ...JOB, status: "queued" }));
  expect(screen.queryByLabelText("Generate from")).toBeNull(); // it is on its way
});

it("says why nothing can be generated where there is no connection, and how to add one", async () => {
  const { model, el } = await show(null);
  await act(async () => model.answer("models", []));
  expect(lastPlan(model).model).toBeNull();
  await act(async () => model.answer("plan", PLAN));
  expect(el.textContent).toContain("add_connection");
  const generate = button(/^Generate/);
  expect(generate).toHaveProperty("disabled", true);
  const why = document.getElementById(generate.getAttribute("aria-describedby") ?? "");
  expect(why?.textContent).toContain("add a connection");
});

it("plans again for other settings, once they rest", async () => {
  const { model, el } = await planning();
  await act(async () => model.answer("plan", PLAN));
  const before = model.calls("plan").length;
  const share = screen.getByLabelText("Largest share of generated records");
  act(() => {
    fireEvent.change(share, { target: { value: "0.1" } });
    fireEvent.blur(share);
  });
  const source = screen.getByLabelText("Generate from");
  act(() => void fireEvent.change(source, { target: { value: "topics" } }));
  expect(model.calls("plan")).toHaveLength(before);
  expect(button(/^Generate/)).toHaveProperty("disabled", true); // of what is not planned yet
  await later();
  expect(lastPlan(model).config).toMatchObject({ source: "topics", max_synthetic_ratio: 0.1 });
  const { config } = lastPlan(model);
  await act(async () => model.answer("plan", { ...PLAN, config, topics: [], total: 0, wanted: 0 }));
  expect(el.textContent).toContain("Choose at least one topic.");
  act(() => void fireEvent.click(screen.getByLabelText("Returns")));
  await later();
  expect(lastPlan(model).config.topics).toEqual(["Returns"]);
});

it("asks for what only one strategy needs", async () => {
  const { model } = await planning();
  const choose = (name: string) =>
    act(
      async () =>
        void fireEvent.change(screen.getByLabelText("Strategy"), { target: { value: name } }),
    );
  const planned = async () => {
    await later();
    const { config } = lastPlan(model);
    await act(async () => model.answer("plan", PLAN));
    return config;
  };
  await planned();
  await choose("tool_chain");
  await act(async () => model.answer("tools", ["find_order", "refund"]));
  const add = screen.getByLabelText(/^Tools, in the order/);
  for (const value of ["refund", "find_order"]) {
    act(() => void fireEvent.change(add, { target: { value } }));
  }
  expect((await planned()).tools).toEqual(["refund", "find_order"]);
  act(() => void fireEvent.click(button("Remove refund, number 1")));
  expect((await planned()).tools).toEqual(["find_order"]);
});

it("offers selected records only where some are selected", async () => {
  await show(null);
  const source = screen.getByLabelText("Generate from");
  expect([...source.querySelectorAll("option")].map((one) => one.value)).toEqual([
    ...["gaps", "topics"],
  ]);
});

it("says what comes first where there are no topics", async () => {
  const { model } = await show(null);
  await act(async () => model.set("revision", 2));
  await act(async () => model.answer("load", { ...OPTIONS, topics: [] }));
  fireEvent.click(button("Open Topics & Category"));
  expect(model.calls("open_dialog")[0]?.params).toEqual({ dialog: "topics" });
});

it("says why a plan cannot be, and keeps the settings", async () => {
  const { model } = await planning();
  const error = { code: "invalid_argument", message: "The shortest is longer.", hint: null };
  await act(async () => model.refuse("plan", error));
  expect(screen.getByRole("alert").textContent).toContain("The shortest is longer.");
  expect(screen.getByLabelText("Generate from")).toBeTruthy();
});

it("shows candidates while they come, finds them again, and stops", async () => {
  const view = batchOf(10, 1, { status: "running" });
  const { model, el } = await show({ ...view, groups: [] }, { jobs: [JOB] });
  expect(el.textContent).toContain("9 of 10");
  expect(el.textContent).toContain("$1.25");
  fireEvent.click(button("Stop"));
  expect(model.calls("cancel_job")[0]?.params).toEqual({ job: "run_1" });
});

it("says that a call in Python makes them, where one does", async () => {
  const { el } = await show(batchOf(1, 0, { status: "running", job_id: null }));
  expect(el.textContent).toContain("a call in Python");
});

it("goes on for more money where the limit ended it", async () => {
  const problem = { code: "budget_reached", message: "The limit is reached.", hint: null };
  const { model } = await show(batchOf(4), { jobs: [{ ...JOB, status: "failed", problem }] });
  expect(screen.getByRole("alert").textContent).toContain("The limit is reached.");
  act(
    () => void fireEvent.change(screen.getByLabelText(/Most to spend/), { target: { value: "3" } }),
  );
  await act(async () => fireEvent.click(button("Go On Generating")));
  expect(model.calls("regenerate")[0]?.params).toEqual({
    ...{ batch: "gen_1", candidates: [], max_cost_usd: 3 },
  });
});

it("names of topics are text", async () => {
  const { model, el } = await planning();
  await act(async () => model.answer("plan", PLAN));
  expect(el.textContent).toContain(XSS);
  expect(el.querySelector("img")).toBeNull();
});
