import { act, fireEvent, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { button, cleanPage, ESTIMATE, JOB, MODELS, NODE, RUN, show, VIEW } from "./testing";

cleanPage();

describe("before a run", () => {
  it("names what comes first", async () => {
    const blocked = { ...NODE, blocked_reason: "Configure the grader first" };
    await show({ ...VIEW, shown: null, runs: [], blocked_by: "grader" }, { node: blocked });
    expect(screen.getByText("Configure the grader first")).toBeTruthy();
    expect(button("Open Grader Config")).toBeTruthy();
  });

  it("shows what a run takes, asks again for other options, and starts it", async () => {
    const model = await show({ ...VIEW, shown: null, runs: [] });
    await act(async () => model.answer("plan", ESTIMATE));
    const facts = screen.getByLabelText("What it takes");
    expect(facts.textContent).toContain("300 of 640 with an answer");
    expect(facts.textContent).toContain("Timeunknown");
    expect(facts.textContent).toContain("4 records invalid");
    const k = screen.getByLabelText("Answers per prompt (k)");
    fireEvent.change(k, { target: { value: "4" } });
    fireEvent.blur(k);
    expect(model.calls("plan").at(-1)?.params).toMatchObject({ n: 300, k: 4 });
    await act(async () =>
      model.answer("plan", { ...ESTIMATE, seconds: 95, judge_calls: 712, cost_micro_usd: null }),
    );
    expect(facts.textContent).toContain("about 1 min 35 s");
    expect(facts.textContent).toContain("Judge callsup to 712");
    expect(facts.textContent).toContain("CostUnknown");
    await act(async () => fireEvent.click(button("Start Dry Run")));
    const params = { n: 300, k: 4, seed: 0, probes: true };
    const nobody = { model: null, temperature: null, max_tokens: null, max_cost_usd: null };
    expect(model.calls("start").at(-1)?.params).toEqual({ ...params, ...nobody });
    await act(async () => model.answer("start", JOB));
    expect(screen.getByText("Scored so far")).toBeTruthy(); // though the trait comes later
  });

  it("starts nothing that cannot be graded", async () => {
    const model = await show({ ...VIEW, shown: null, runs: [] });
    await act(async () => model.answer("plan", { ...ESTIMATE, not_ready: "No connection" }));
    expect(button("Start Dry Run")).toHaveProperty("disabled", true);
    expect(screen.getByText("No connection")).toBeTruthy();
  });

  it("lets a model answer, at its price and within a limit", async () => {
    const model = await show({ ...VIEW, shown: null, runs: [] });
    await act(async () => model.answer("models", [...MODELS]));
    await act(async () => model.answer("plan", ESTIMATE));
    expect(screen.queryByLabelText(/Most to spend/)).toBeNull(); // nothing is asked
    await act(async () => fireEvent.click(screen.getByLabelText(/^A model/)));
    expect(button("Start Dry Run")).toHaveProperty("disabled", true);
    expect(screen.getByText("Choose the model that answers.")).toBeTruthy();
    fireEvent.change(screen.getByLabelText("Model"), { target: { value: "base" } });
    expect(model.calls("plan").at(-1)?.params).toMatchObject({ model: "base", temperature: 1 });
    const rollouts = {
      ...{ calls: 300, prompt_tokens: 60_000, completion_tokens: 90_000, minutes: 2 },
      ...{ cost_micro_usd: 1_000_000, past_error: null },
    };
    const priced = { ...ESTIMATE, rollouts, cost_micro_usd: 1_000_000, seconds: 120 };
    await act(async () => model.answer("plan", priced));
    const facts = screen.getByLabelText("What it takes").textContent;
    expect(facts).toContain("Calls of the model300");
    expect(facts).toContain("about 150,000");
    expect(facts).toContain("Cost$1.00");
    fireEvent.change(screen.getByLabelText(/Most to spend/), { target: { value: "0.5" } });
    await act(async () => fireEvent.click(button("Start Dry Run")));
    expect(model.calls("start").at(-1)?.params).toMatchObject({
      ...{ model: "base", max_tokens: 2048, max_cost_usd: 0.5 },
    });
  });

  it("resumes a model's run for more money", async () => {
    const cut_off = {
      ...{ id: "dry_0", started_at: RUN.started_at, graded: 12, obstacle: null },
      config: { ...RUN.config, answers: "model" as const, model: "base", asked: "m-1" },
    };
    const model = await show({ ...VIEW, shown: null, cut_off });
    fireEvent.change(screen.getByLabelText(/Most to spend/), { target: { value: "4" } });
    await act(async () => fireEvent.click(button("Resume")));
    expect(model.calls("resume").at(-1)?.params).toEqual({ max_cost_usd: 4 });
  });

  it("offers to resume a run, or says why it cannot", async () => {
    const cut_off = {
      id: "dry_0",
      config: RUN.config,
      started_at: RUN.started_at,
      graded: 112,
      obstacle: null,
    };
    const model = await show({ ...VIEW, shown: null, cut_off });
    expect(screen.getByLabelText("Run that was cut off").textContent).toContain(
      "112 graded answers",
    );
    await act(async () => fireEvent.click(button("Resume")));
    expect(model.calls("resume")).toHaveLength(1);
    const words = { code: "invalid_argument", message: "It changed meanwhile.", hint: null };
    await act(async () => model.refuse("resume", words));
    expect(screen.getByText("It changed meanwhile.")).toBeTruthy();
    act(() => model.set("revision", 2));
    await act(async () =>
      model.answer("load", {
        ...VIEW,
        shown: null,
        cut_off: { ...cut_off, obstacle: "The grader has changed since." },
      }),
    );
    expect(screen.queryByRole("button", { name: "Resume" })).toBeNull();
    expect(screen.getByText(/The grader has changed since/)).toBeTruthy();
  });
});

describe("a run under way", () => {
  it("shows the scores so far, reads nothing else, and reads the result at its end", async () => {
    const model = await show(VIEW, { jobs: [JOB] });
    const loads = model.calls("load").length;
    const part = {
      run: "dry_3",
      started_at: RUN.started_at,
      scored: 16,
      failed: 1,
      mean: 0.5,
      histogram: [16, ...Array(9).fill(0)],
      last: 16,
    };
    await act(async () => model.answer("so_far", part));
    expect(screen.getByText("Running mean").nextSibling?.textContent).toBe("0.50");
    act(() => model.set("revision", 2));
    expect(model.calls("so_far")).toHaveLength(2);
    expect(model.calls("load")).toHaveLength(loads);
    await act(async () => fireEvent.click(button("Stop")));
    expect(model.calls("cancel_job").at(-1)?.params).toEqual({ job: "job1" });
    act(() => {
      model.set("jobs", [{ ...JOB, status: "succeeded", outcome: "Mean: 0.45 • CAUTION" }]);
      model.set("revision", 3);
    });
    expect(model.calls("load")).toHaveLength(loads + 1);
    expect(screen.getByText("Scored so far")).toBeTruthy(); // not the result of before
    await act(async () => model.answer("load", VIEW));
    expect(screen.getByLabelText("Verdict: CAUTION")).toBeTruthy();
  });

  it("shows one of another process without a way to stop it", async () => {
    await show(VIEW, { node: { ...NODE, status: "processing", progress: 0.3 } });
    expect(screen.getByText(/in another process/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Stop" })).toBeNull();
  });

  it("says why it failed", async () => {
    const problem = { code: "grader_invalid", message: "The grader broke.", hint: null };
    await show(VIEW, { jobs: [{ ...JOB, status: "failed", problem }] });
    expect(screen.getByText("The grader broke.")).toBeTruthy();
  });
});
