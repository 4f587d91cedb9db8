import { cleanup, fireEvent, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type {
  CurvePoint,
  TrainerInfo,
  TrainingConfig,
  TrainingReport,
  TrainingRunRow,
  TrainingRunView,
} from "../../contract.gen";
import { RunView } from "./RunView";
import { action, CONFIG, inHost, loaded, MARKUP, ROW, trainer } from "./testing";

afterEach(cleanup);

const VIEW: TrainingRunView = {
  ...{ run: ROW, config: CONFIG, train_records: 90, valid_records: 10, requested: "" },
  ...{ progress: null, curve: [], eta_s: null, cost_micro_usd: 0, report: null, checkpoints: [] },
  ...{ error: null, log: [], log_lines: 0, served_step: null, rollout_steps: [] },
};
const between = (estimate: number, low: number | null, high: number | null) => ({
  ...{ estimate, low, high, level: 0.95, n: 10, clusters: 10, method: "percentile" as const },
});
const change = {
  ...{ before_mean: 0.4, after_mean: 0.6, p_value: 0.01, n: 10, clusters: 10 },
  ...{ difference: between(0.2, 0.1, 0.3), relative: between(0.5, 0.25, 0.75) },
  verdict: "improved" as const,
};
const REPORT: TrainingReport = {
  ...{
    outcome: "improved",
    summary: "Improved: it did.",
    notes: ["Mind this."],
    overfitting: false,
  },
  ...{ kept_reference: false, served_step: 5, change, selection_change: null, recorded: null },
  topics: [
    {
      ...{ topic: MARKUP, adjusted_p_value: 1, verdict: "no_clear_change" },
      difference: { ...change, difference: between(0.2, null, null) },
    },
  ],
  ...{ against_recorded: null, excluded: { no_candidate: 1, failed_grading: 2 }, curve: [] },
  examples: [
    {
      ...{ record_id: "r", prompt: MARKUP, baseline_answer: "old", baseline_reward: 0.2 },
      ...{ tuned_answer: "new", tuned_reward: 0.9 },
    },
  ],
  ...{ weights: {}, fit_prompts: 60, selection_prompts: 20, valid_prompts: 10, pool: 80 },
  gradings: 500,
  baseline: "the most similar recorded answer",
};

function run(
  part: Partial<TrainingRunView>,
  row: Partial<TrainingRunRow> = {},
  by: TrainerInfo | null = trainer(),
) {
  const command = action<["pause" | "resume" | "cancel"]>();
  const again = action<[TrainingConfig]>();
  const choose = action<[number | null]>();
  const calls = { onNew: vi.fn(), onDeploy: vi.fn() };
  inHost(
    <RunView
      title="Train Model"
      trainer={by}
      loaded={loaded({ ...VIEW, ...part, run: { ...ROW, ...row } })}
      command={command}
      again={again}
      choose={choose}
      {...calls}
    >
      <p>history</p>
    </RunView>,
  );
  const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));
  return { command, again, choose, press, ...calls };
}

describe("a run", () => {
  it("at work can be paused, and cancelled after a question", () => {
    const { command, press } = run({ eta_s: 75 }, { status: "running" });
    expect(screen.getByText("1 min 15 s")).toBeTruthy();
    press("Pause");
    expect(command.run).toHaveBeenCalledWith("pause");
    press("Cancel");
    expect(command.run).toHaveBeenCalledTimes(1);
    press("Cancel Training");
    expect(command.run).toHaveBeenLastCalledWith("cancel");
  });

  it("that is asked to stop says so", () => {
    run({ requested: "pause" }, { status: "running" });
    expect(screen.getByRole<HTMLButtonElement>("button", { name: "Pausing..." }).disabled).toBe(
      true,
    );
    expect(screen.getByRole("status").textContent).toBe("Pausing...");
  });

  it.each([
    ["paused", false],
    ["running", true],
  ] as const)("that is %s (killed: %s) can be resumed", (status, was_killed) => {
    const { command, press } = run({}, { status, was_killed });
    expect(screen.queryByText(/Nobody works on this run/) !== null).toBe(was_killed);
    press("Resume");
    expect(command.run).toHaveBeenCalledWith("resume");
  });

  it("that failed says why, and can be tried again", () => {
    const { again, onNew, press } = run({ error: "The records changed." }, { status: "failed" });
    expect(screen.getByRole("alert").textContent).toContain("The records changed.");
    fireEvent.click(within(screen.getByRole("alert")).getByRole("button", { name: "Retry" }));
    expect(again.run).toHaveBeenCalledWith(CONFIG);
    press("Train Again");
    expect(onNew).toHaveBeenCalled();
  });

  it("that ended shows what it brought with intervals, and leads to deploying", () => {
    const { onDeploy, press } = run({ report: REPORT }, { outcome: "improved" });
    const outcome = screen.getByRole("region", { name: "Outcome" });
    expect(outcome.textContent).toContain("Improved: it did.Mind this.");
    expect(screen.getByText("+50%").textContent).toContain("[+25%, +75%]");
    expect(screen.getByText(/1 without an answer to give, 2 whose grading failed/)).toBeTruthy();
    expect(screen.getByRole("row", { name: /onerror.*too few/ })).toBeTruthy();
    expect(screen.getByText("+0.70")).toBeTruthy();
    expect(document.querySelector("img")).toBeNull();
    press("Deploy");
    expect(onDeploy).toHaveBeenCalled();
  });

  it("calls nothing an improvement that is not clear", () => {
    const unclear = { ...change, verdict: "no_clear_change" as const };
    const report = { ...REPORT, outcome: "no_clear_change" as const, change: unclear };
    run({ report, curve: [] }, { outcome: "no_clear_change" });
    expect(screen.queryByText("Improvement")).toBeNull();
    expect(screen.getByText("Relative change")).toBeTruthy();
  });

  it("says overfitting, and lets another checkpoint be served", () => {
    const checkpoints = [0, 5].map((step) => ({
      ...{ step, weights: [], selection_reward: 0.4, valid_reward: null },
      ...{ model: "", metrics: {} },
    }));
    const report = { ...REPORT, overfitting: true };
    const { choose, press } = run({ report, checkpoints, served_step: 0 }, { outcome: "improved" });
    expect(screen.getByRole("region", { name: "Outcome" }).textContent).toContain("overfitting");
    expect(
      screen.getByRole("row", { name: /^0 \(before training\) 0.40 – – Served/ }),
    ).toBeTruthy();
    press("Serve the checkpoint of step 5");
    expect(choose.run).toHaveBeenLastCalledWith(5);
    press("Serve the run's choice");
    expect(choose.run).toHaveBeenLastCalledWith(null);
  });

  it("offers no pause where the trainer has none, and says what it began with", () => {
    const by = trainer({ title: "Hosted" }, { pauses: false, rollouts: false });
    const config = { ...CONFIG, base_model: "/models/deep/tiny" };
    run({ config }, { status: "running", base_model: "/models/deep/tiny" }, by);
    expect(screen.queryByRole("button", { name: "Pause" })).toBeNull();
    expect(screen.getByText(/^Hosted · deep\/tiny · 90 records/)).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Cancel" }));
    expect(screen.queryByText(/pause it instead/)).toBeNull();
  });

  it("that was not measured says what to do", () => {
    const report = { ...REPORT, outcome: "not_measured" as const, change: null, topics: [] };
    run({ report, cost_micro_usd: null }, { outcome: "not_measured" });
    expect(screen.getByRole("region", { name: "Outcome" }).textContent).toContain("Not measured");
    expect(screen.getByText(/Deploy it, then measure it there/)).toBeTruthy();
    expect(screen.queryByText(/validation prompts? that training never saw/)).toBeNull();
  });

  it("shows what it costs, or that nobody knows", () => {
    run({ cost_micro_usd: 1_250_000 }, { status: "running" });
    expect(screen.getByText("$1.25")).toBeTruthy();
    cleanup();
    run({ cost_micro_usd: null }, { status: "running" });
    expect(screen.getByText("Unknown")).toBeTruthy();
  });

  it("draws further curves one at a time, of what there is", () => {
    const point = (step: number): CurvePoint => ({
      ...{ step, epoch: step, train_reward: 0.5, selection: null, valid: null, clip_share: null },
      ...{ kl: 0.001 * step, entropy: null, flat_share: 0.25, completion_tokens: null },
      ...{ step_s: null, metrics: {} },
    });
    run({ curve: [point(1), point(2)] }, { status: "running" });
    fireEvent.click(screen.getByText("More curves (2)"));
    const curve = screen.getByLabelText<HTMLSelectElement>("Curve");
    expect(curve.selectedOptions[0]?.textContent).toContain("KL");
    expect(screen.getByRole("row", { name: "2 0.002" })).toBeTruthy();
    fireEvent.change(curve, { target: { value: "flat_share" } });
    expect(screen.getByRole("row", { name: "2 25%" })).toBeTruthy();
  });
});
