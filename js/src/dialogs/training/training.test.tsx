import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type {
  TrainingConfig,
  TrainingPlan,
  TrainingReport,
  TrainingRunRow,
  TrainingRunView,
  TrainingSetup,
} from "../../contract.gen";
import { HostProvider } from "../../host/bridge";
import type { Action, Loaded } from "../../host/loaded";
import { Navigator } from "../../host/navigation";
import { FakeModel } from "../../host/testing";
import { RunView } from "./RunView";
import { SetupView } from "./SetupView";

const MARKUP = "<img src=x onerror=alert(1)>";
vi.stubGlobal(
  "ResizeObserver",
  class {
    observe() {}
    unobserve() {}
    disconnect() {}
  },
);
afterEach(cleanup);

const CONFIG: TrainingConfig = {
  trainer: "local",
  base_model: null,
  train_ratio: 0.9,
  stratify_by_topic: true,
  include_generated_in_valid: false,
  seed: 0,
  hyperparameters: {},
};
const FIELD = { title: "Epochs", description: "Times.", default: 2, low: 1, high: 10 };
const SETUP: TrainingSetup = {
  trainers: [
    {
      ...{ name: "local", title: "Embedded trainer", description: "Learns.", needs: "Nothing." },
      ...{ status: "ready", base_model: "None." },
      hyperparameters: [
        { name: "n_epochs", is_whole: true, ...FIELD },
        { ...FIELD, name: "rate", title: "Rate", is_whole: false, default: 0.05, low: 1e-6 },
      ],
    },
    {
      ...{ name: "tinker", title: "Tinker", description: "Runs.", needs: "A key." },
      ...{ status: "not_available", base_model: "Open.", hyperparameters: [] },
    },
  ],
  data: {
    ...{ valid_records: 1200, invalid_records: 3, generated_records: 0, topics: 4 },
    ...{ balance_score: 0.5, grader: MARKUP, grader_version: 2, dry_run: "Mean: 0.4 • GO" },
  },
  readiness: { blocked: null, no_go: null, warnings: [] },
  config: CONFIG,
  runs: [],
};
const PLAN: TrainingPlan = {
  ...{ train: 1080, valid: 120, groups: 900, notes: ["A note."] },
  topics: [
    { topic: MARKUP, train: 1000, valid: 110 },
    { topic: null, train: 80, valid: 10 },
  ],
  estimate: { seconds: null, basis: "Unknown.", gradings: 9000, cost_micro_usd: 0 },
};

const loaded = <V,>(value: V, problem: Loaded<V>["problem"] = null): Loaded<V> => ({
  ...{ value, problem, isLoading: false, reload: vi.fn() },
});
function action<A extends unknown[]>(): Action<A> & { run: ReturnType<typeof vi.fn> } {
  return { isBusy: false, problem: null, run: vi.fn(async () => true), clear: vi.fn() };
}

function inHost(shown: ReactNode) {
  const signal = new AbortController().signal;
  return render(
    <HostProvider model={new FakeModel()} signal={signal}>
      <Navigator components={new Map()}>{shown}</Navigator>
    </HostProvider>,
  );
}

function setup(part: Partial<TrainingSetup> = {}, plan = loaded<TrainingPlan | null>(PLAN)) {
  const calls = { onConfig: vi.fn(), onShowRun: vi.fn(), onOpen: vi.fn() };
  const start = action<[boolean]>();
  inHost(
    <SetupView
      title="Train Model"
      setup={{ ...SETUP, ...part }}
      config={CONFIG}
      plan={plan}
      start={start}
      {...calls}
    >
      <p>history</p>
    </SetupView>,
  );
  const button = screen.queryByRole<HTMLButtonElement>("button", { name: "Start Training" });
  return { ...calls, start, button };
}

describe("the setup", () => {
  it("lists every way to train, and lets only ready ones be chosen", () => {
    setup();
    const [local, tinker] = screen.getAllByRole<HTMLInputElement>("radio");
    expect([local?.checked, local?.disabled]).toEqual([true, false]);
    expect(tinker?.disabled).toBe(true);
    expect(screen.getByText("Not available in this version")).toBeTruthy();
    expect(screen.getByText("Needs: A key.")).toBeTruthy();
  });

  it("shows the split in counts, as text", () => {
    setup();
    const row = screen.getByRole("row", { name: /onerror/ });
    expect(within(row).getByText("1,000")).toBeTruthy();
    expect(screen.getByRole("row", { name: /no topic/ })).toBeTruthy();
    expect(document.querySelector("img")).toBeNull();
    expect(screen.getByText(/at most 9,000 gradings/)).toBeTruthy();
  });

  it("starts, without an override that nobody needs", () => {
    const { start, button } = setup();
    fireEvent.click(button as HTMLElement);
    expect(start.run).toHaveBeenCalledWith(false);
  });

  it("refuses a NO_GO until it is overridden in so many words", () => {
    const { start, button } = setup({ readiness: { blocked: null, no_go: "Flat.", warnings: [] } });
    expect(button?.disabled).toBe(true);
    fireEvent.click(screen.getByRole("checkbox", { name: /although the dry run says NO_GO/ }));
    fireEvent.click(button as HTMLElement);
    expect(start.run).toHaveBeenCalledWith(true);
  });

  it("warns, and leads to the dry run", () => {
    const { button, onOpen } = setup({
      readiness: { blocked: null, no_go: null, warnings: ["The dry run is stale."] },
    });
    expect(button?.disabled).toBe(false);
    fireEvent.click(screen.getByRole("button", { name: "Open Dry Run" }));
    expect(onOpen).toHaveBeenCalledWith("dry-run");
  });

  it("says what is missing, and leads there", () => {
    const blocked = { blocked: "Configure the grader first", no_go: null, warnings: [] };
    const { button, onOpen } = setup({ readiness: blocked });
    expect(button).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: "Go to that step" }));
    expect(onOpen).toHaveBeenCalledWith("grader");
  });

  it("does not start with settings that cannot be used, nor beside a run at work", () => {
    const problem = { code: "invalid_argument", message: "Wrong.", hint: null };
    const { button } = setup({}, loaded<TrainingPlan | null>(null, problem));
    expect(button?.disabled).toBe(true);
    expect(screen.getByRole("alert").textContent).toContain("Wrong.");
    cleanup();
    const beside = setup({ runs: [{ ...ROW, status: "running" }] });
    expect(beside.button?.disabled).toBe(true);
    fireEvent.click(screen.getByRole("button", { name: "Show it" }));
    expect(beside.onShowRun).toHaveBeenCalledWith("job_1");
  });

  it("keeps only what differs from the defaults, in whole numbers where they are whole", () => {
    const { onConfig } = setup();
    const epochs = screen.getByLabelText("Epochs");
    fireEvent.change(epochs, { target: { value: "4.6" } });
    fireEvent.blur(epochs);
    expect(onConfig.mock.calls[0]?.[0].hyperparameters).toEqual({ n_epochs: 5 });
    const rate = screen.getByLabelText("Rate");
    fireEvent.change(rate, { target: { value: "99" } }); // out of bounds
    fireEvent.blur(rate);
    expect(onConfig).toHaveBeenCalledTimes(1);
  });
});

const ROW: TrainingRunRow = {
  ...{ id: "job_1", status: "completed", was_killed: false, created_at: "2026-03-04T12:00:00Z" },
  ...{ finished_at: null, trainer: "local", n_epochs: 2, grader_version: 1, data: "abcdef123456" },
  ...{ share: 1, outcome: null, summary: "" },
};
const VIEW: TrainingRunView = {
  ...{ run: ROW, config: CONFIG, train_records: 90, valid_records: 10, requested: "" },
  ...{ progress: null, curve: [], eta_s: null, cost_micro_usd: 0, report: null, checkpoints: [] },
  ...{ error: null, log: [], log_lines: 0 },
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
};

function run(part: Partial<TrainingRunView>, row: Partial<TrainingRunRow> = {}) {
  const command = action<["pause" | "resume" | "cancel"]>();
  const again = action<[TrainingConfig]>();
  const calls = { onNew: vi.fn(), onDeploy: vi.fn() };
  inHost(
    <RunView
      title="Train Model"
      trainer="Embedded trainer"
      loaded={loaded({ ...VIEW, ...part, run: { ...ROW, ...row } })}
      command={command}
      again={again}
      {...calls}
    >
      <p>history</p>
    </RunView>,
  );
  const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));
  return { command, again, press, ...calls };
}

describe("a run", () => {
  it("at work can be paused, and cancelled after a question", () => {
    const { command, press } = run({ eta_s: 75 }, { status: "running", share: 0.4 });
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
    expect(screen.queryByText(/Nobody has worked on this run/) !== null).toBe(was_killed);
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

  it("says overfitting, and marks the checkpoint that is served", () => {
    const checkpoints = [0, 5].map((step) => ({
      ...{ step, weights: [], selection_reward: 0.4, valid_reward: null },
    }));
    run({ report: { ...REPORT, overfitting: true }, checkpoints }, { outcome: "improved" });
    expect(screen.getByRole("region", { name: "Outcome" }).textContent).toContain("overfitting");
    expect(screen.getByRole("row", { name: /^5 0.40 – Served/ })).toBeTruthy();
    expect(screen.getByRole("row", { name: /^0 \(reference\) 0.40 – –/ })).toBeTruthy();
  });
});
