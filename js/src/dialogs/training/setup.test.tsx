import { cleanup, fireEvent, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { TrainingPlan, TrainingSetup } from "../../contract.gen";
import { SetupView } from "./SetupView";
import { action, CONFIG, inHost, loaded, MARKUP, ROW } from "./testing";

afterEach(cleanup);

const FIELD = {
  choices: [],
  title: "Epochs",
  description: "Times.",
  default: 2,
  low: 1,
  high: 10,
};
const CAPABILITIES = {
  ...{ grader_runs: "here" as const, graders: [], pauses: true, survives_restart: true },
  ...{ rollouts: false, checkpoints: true, measures: true, tools: true, serving: "Here." },
};
const MODELS = { base_models: [], settings: [], needs_base_model: false, needs_connection: false };
const SETUP: TrainingSetup = {
  trainers: [
    {
      ...{ name: "local", title: "Embedded trainer", description: "Learns.", needs: "Nothing." },
      ...{ missing: "", base_model: "None.", capabilities: CAPABILITIES, ...MODELS },
      hyperparameters: [
        { name: "n_epochs", is_whole: true, ...FIELD },
        { ...FIELD, name: "rate", title: "Rate", is_whole: false, default: 0.05, low: 1e-6 },
      ],
    },
    {
      ...{ name: "tinker", title: "Tinker", description: "Runs.", needs: "A key." },
      ...{ missing: "Set the key.", base_model: "Open.", hyperparameters: [], ...MODELS },
      capabilities: CAPABILITIES,
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
  estimate: { seconds: null, basis: "Unknown.", gradings: 9000, cost_micro_usd: 0, cost_basis: "" },
};

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
    expect(screen.getByText("Not ready")).toBeTruthy();
    expect(screen.getByText("Set the key.")).toBeTruthy();
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
