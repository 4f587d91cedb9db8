// The outcome of a run in a word, and its colour.
import type { TrainingRunRow } from "../../contract.gen";
import type { Tone } from "../../ui/Badge";
import { count } from "../../ui/numbers";

type Outcome = NonNullable<TrainingRunRow["outcome"]>;

export const OUTCOME_WORDS: Readonly<Record<Outcome, string>> = {
  improved: "Improved",
  no_clear_change: "No clear change",
  regressed: "Regressed",
  no_learning: "No learning",
  not_measured: "Not measured",
};

export const OUTCOME_TONES: Readonly<Record<Outcome, Tone>> = {
  improved: "ok",
  no_clear_change: "idle",
  regressed: "bad",
  no_learning: "warn",
  not_measured: "idle",
};

const STATUS_WORDS: Readonly<Record<TrainingRunRow["status"], string>> = {
  pending: "Starting",
  running: "Training",
  paused: "Paused",
  completed: "Completed",
  failed: "Failed",
  cancelled: "Cancelled",
};

const STATUS_TONES: Readonly<Record<TrainingRunRow["status"], Tone>> = {
  pending: "busy",
  running: "busy",
  paused: "warn",
  completed: "ok",
  failed: "bad",
  cancelled: "idle",
};

/** Name of the model that a run began with: of a folder its last two parts. */
export function baseModel({ base_model }: Pick<TrainingRunRow, "base_model">): string {
  if (!base_model) return "";
  const parts = base_model.split(/[\\/]/).filter((part) => part !== "");
  return parts.slice(-2).join("/");
}

/** A checkpoint by its step. */
export const stepWords = (step: number): string =>
  step === 0 ? "0 (before training)" : count(step);

export const isAtWork = ({ status }: Pick<TrainingRunRow, "status">): boolean =>
  status === "pending" || status === "running";

/** How a run stands or what came of it, in a word. */
export function standing(run: Pick<TrainingRunRow, "status" | "was_killed" | "outcome">): {
  readonly words: string;
  readonly tone: Tone;
} {
  if (run.was_killed) return { words: "Interrupted", tone: "warn" };
  if (run.status === "completed" && run.outcome) {
    return { words: OUTCOME_WORDS[run.outcome], tone: OUTCOME_TONES[run.outcome] };
  }
  return { words: STATUS_WORDS[run.status], tone: STATUS_TONES[run.status] };
}
