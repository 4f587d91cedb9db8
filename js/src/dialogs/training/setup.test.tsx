import { cleanup, fireEvent, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { PlannedTraining, TrainingConfig, TrainingSetup } from "../../contract.gen";
import { SetupView } from "./SetupView";
import { action, CONFIG, inHost, loaded, MARKUP, ROW, trainer } from "./testing";

afterEach(cleanup);

const CHOICE = { choices: ["dapo", "grpo"], default: "dapo", low: null, high: null };
const FIELD = {
  choices: [],
  title: "Epochs",
  description: "Times.",
  default: 2,
  low: 1,
  high: 10,
};
const SETUP: TrainingSetup = {
  trainers: [
    trainer({
      hyperparameters: [
        { ...FIELD, name: "n_epochs", is_whole: true },
        { ...FIELD, name: "rate", title: "Rate", is_whole: false, default: 0.05, low: 1e-6 },
        { ...FIELD, name: "size", title: "Size", is_whole: true, default: null },
        { ...FIELD, name: "loss", title: "Loss", is_whole: false, ...CHOICE },
      ],
    }),
    trainer(
      {
        ...{ name: "hosted", title: "Hosted", description: "Runs.", needs: "Use `a key` now." },
        ...{ needs_base_model: true, needs_connection: true, base_models: ["small", "large"] },
        base_model: "An id at the service.",
        settings: [
          { name: "arn", title: "ARN", description: "Of it.", example: "arn:x", is_required: true },
        ],
      },
      { pauses: false, grader_runs: "service" },
    ),
    trainer({
      ...{ name: "tinker", title: "Tinker", description: "Runs.", needs: "A key." },
      missing: "Install it with: pip install 'rft-widgets[tinker]', then set the key.",
    }),
  ],
  data: {
    ...{ valid_records: 1200, invalid_records: 3, generated_records: 0, topics: 4 },
    ...{
      balance_score: 0.5,
      grader: MARKUP,
      grader_version: 2,
      asks_model: false,
      dry_run: "Mean: 0.4 • GO",
    },
  },
  readiness: { blocked: null, no_go: null, warnings: [] },
  config: CONFIG,
  runs: [],
};
const PLAN: PlannedTraining = {
  ...{ train: 1080, valid: 120, groups: 900, notes: ["A note."] },
  topics: [
    { topic: MARKUP, train: 1000, valid: 110 },
    { topic: null, train: 80, valid: 10 },
  ],
  estimate: { seconds: null, basis: "Unknown.", gradings: 9000, cost_micro_usd: 0, cost_basis: "" },
  refusal: null,
};

function setup(
  part: Partial<TrainingSetup> = {},
  plan = loaded<PlannedTraining | null>(PLAN),
  config: Partial<TrainingConfig> = {},
) {
  const calls = { onConfig: vi.fn(), onShowRun: vi.fn(), onOpen: vi.fn() };
  const start = action<[boolean]>();
  inHost(
    <SetupView
      title="Train Model"
      setup={{ ...SETUP, ...part }}
      config={{ ...CONFIG, ...config }}
      plan={plan}
      connections={[{ name: "svc", model: "m", notice: "", missing: "", works: null }]}
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
  it("asks for a limit where a judge costs money, and only there", () => {
    const { onConfig } = setup({ data: { ...SETUP.data, asks_model: true } });
    fireEvent.change(screen.getByLabelText("Most to spend, in dollars"), {
      target: { value: "2.50" },
    });
    expect(onConfig).toHaveBeenCalledWith({ ...CONFIG, max_cost_usd: 2.5 });
    cleanup();
    setup();
    expect(screen.queryByLabelText("Most to spend, in dollars")).toBeNull();
  });

  it("lists every way to train, and lets only ready ones be chosen", () => {
    const { onConfig } = setup();
    const [local, hosted, tinker] = screen.getAllByRole<HTMLInputElement>("radio");
    expect([local?.checked, local?.disabled, tinker?.disabled]).toEqual([true, false, true]);
    expect(screen.getByText("Not ready")).toBeTruthy();
    expect(screen.getByText("pip install 'rft-widgets[tinker]'").tagName).toBe("CODE");
    expect(screen.getByText(/then set the key/)).toBeTruthy();
    expect(screen.getByText("a key").tagName).toBe("CODE");
    expect(screen.getByText("Grades at the service: string check.")).toBeTruthy();
    expect(screen.getByText("A run cannot be paused.")).toBeTruthy();
    fireEvent.click(hosted as HTMLElement);
    expect(onConfig.mock.calls[0]?.[0].trainer).toBe("hosted");
  });

  it("keeps the split when the trainer is another, and nothing of the trainer before", () => {
    const mine = { hyperparameters: { rate: 1 }, settings: { a: "b" }, base_model: "m" };
    const { onConfig } = setup({}, undefined, { ...mine, train_ratio: 0.7, connection: "svc" });
    fireEvent.click(screen.getByRole("radio", { name: /Hosted/ }));
    expect(onConfig.mock.calls[0]?.[0]).toEqual({
      ...CONFIG,
      ...{ trainer: "hosted", train_ratio: 0.7 },
    });
  });

  it("asks for what the trainer needs, and does not start without", () => {
    const why = (config: Partial<TrainingConfig>) => {
      const shown = setup({}, undefined, { trainer: "hosted", ...config });
      const { button } = shown;
      const words = document.getElementById(button?.getAttribute("aria-describedby") ?? "");
      return { ...shown, isOff: button?.disabled, words: words?.textContent };
    };
    const first = why({});
    expect([first.isOff, first.words]).toEqual([true, "Name the model that is trained."]);
    const model = screen.getByLabelText<HTMLInputElement>("Model that is trained");
    expect([...(model.list?.options ?? [])].map(({ value }) => value)).toEqual(["small", "large"]);
    fireEvent.change(model, { target: { value: "/models/mine" } });
    expect(first.onConfig.mock.calls[0]?.[0].base_model).toBe("/models/mine");
    cleanup();
    const second = why({ base_model: "small" });
    expect(second.words).toBe("Choose the connection to the service.");
    fireEvent.change(screen.getByLabelText("Connection to the service"), {
      target: { value: "svc" },
    });
    expect(second.onConfig.mock.calls[0]?.[0].connection).toBe("svc");
    cleanup();
    const third = why({ base_model: "small", connection: "svc" });
    expect(third.words).toBe("Fill in: ARN.");
    fireEvent.change(screen.getByLabelText("ARN"), { target: { value: "arn:1" } });
    expect(third.onConfig.mock.calls[0]?.[0].settings).toEqual({ arn: "arn:1" });
    cleanup();
    const all = why({ base_model: "small", connection: "svc", settings: { arn: "arn:1" } });
    expect([all.isOff, all.words]).toEqual([false, ""]);
  });

  it("says a refusal in words, beside the field that it is about", () => {
    const refusal = { code: "invalid_argument", message: "rate is 99; too high.", hint: null };
    const { button } = setup({}, loaded<PlannedTraining | null>({ ...PLAN, refusal }));
    expect(button?.disabled).toBe(true);
    expect(screen.getByLabelText("Rate").getAttribute("aria-invalid")).toBe("true");
    expect(screen.getByLabelText("Rate").closest("details")?.open).toBe(true);
    expect(screen.getByLabelText("Epochs").getAttribute("aria-invalid")).toBeNull();
    expect(screen.getByRole("row", { name: /no topic/ })).toBeTruthy(); // the split stays
  });

  it("shows the split in counts, as text", () => {
    setup();
    const row = screen.getByRole("row", { name: /onerror/ });
    expect(within(row).getByText("1,000")).toBeTruthy();
    expect(screen.getByRole("row", { name: /no topic/ })).toBeTruthy();
    expect(document.querySelector("img")).toBeNull();
    expect(screen.getByText("9,000")).toBeTruthy();
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
    const { button } = setup({}, loaded<PlannedTraining | null>(null, problem));
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

  it("leaves to the trainer what nobody gives, and offers words where words are to be chosen", () => {
    const { onConfig } = setup({}, undefined, { hyperparameters: { size: 4, loss: "grpo" } });
    expect(screen.getByText("More settings (2 changed)")).toBeTruthy();
    const size = screen.getByLabelText("Size");
    fireEvent.change(size, { target: { value: "" } });
    fireEvent.blur(size);
    expect(onConfig.mock.calls[0]?.[0].hyperparameters).toEqual({ loss: "grpo" });
    fireEvent.change(screen.getByLabelText("Loss"), { target: { value: "dapo" } });
    expect(onConfig.mock.calls[1]?.[0].hyperparameters).toEqual({ size: 4 });
  });
});
