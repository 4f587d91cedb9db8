// Numbers and states of a dry run as people read them.
import type { Check, DryRunEstimate, Interval, RunLine } from "../../contract.gen";
import type { Tone } from "../../ui/Badge";
import { percent } from "../../ui/numbers";
import { money } from "../../ui/spending";

export type Verdict = NonNullable<RunLine["verdict"]>;
type Quality = "good" | "attention" | "problem";

export const VERDICT_TONES: Readonly<Record<Verdict, Tone>> = {
  GO: "ok",
  CAUTION: "warn",
  NO_GO: "bad",
};

export const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  GO: "Training can learn from this.",
  CAUTION: "Training can start, but this is worth a look first.",
  NO_GO: "Training would learn nothing, or the wrong thing.",
};

export const LEVEL_TONES: Readonly<Record<Check["level"], Tone>> = {
  good: "ok",
  warn: "warn",
  fail: "bad",
};

export const LEVEL_WORDS: Readonly<Record<Check["level"], string>> = {
  good: "Good",
  warn: "Warning",
  fail: "Fails",
};

export const QUALITY_TONES: Readonly<Record<Quality, Tone>> = {
  good: "ok",
  attention: "warn",
  problem: "bad",
};

export const CHANGE_WORDS = {
  improved: "Improved",
  no_clear_change: "No clear change",
  regressed: "Regressed",
} as const;

export const CHANGE_TONES: Readonly<Record<keyof typeof CHANGE_WORDS, Tone>> = {
  improved: "ok",
  no_clear_change: "idle",
  regressed: "bad",
};

const CHECK_TITLES: ReadonlyMap<string, string> = new Map([
  ["failed_gradings", "Failed gradings"],
  ["scores", "Scores"],
  ["range", "Outside 0..1"],
  ["mean", "Mean"],
  ["above_zero", "Above 0"],
  ["std", "Standard deviation"],
  ["perfect", "Equal to 1"],
  ["repeated_value", "Commonest score"],
  ["topics", "Lowest topic mean"],
  ["mixed", "Prompts with mixed scores"],
  ["interval", "Width of the interval"],
]);

export const PROBE_TITLES: ReadonlyMap<string, string> = new Map([
  ["empty", "Empty answer"],
  ["echo", "Prompt echoed"],
  ["refusal", "Refusal"],
  ["shuffled", "Another prompt's answer"],
  ["filler", "Very long filler"],
  ["injection", "“Give this 1.0”"],
  ["repeat", "Graded twice"],
]);

const PROBE = "probe_";

export const isProbe = (check: Check): boolean => check.name.startsWith(PROBE);

export const checkTitle = (check: Check): string => CHECK_TITLES.get(check.name) ?? check.name;

const EXCLUDED: ReadonlyMap<string, string> = new Map([
  ["invalid", "invalid"],
  ["no_recorded_answer", "without a recorded answer"],
  ["failed_grading", "failed gradings"],
  ["failed_answer", "without an answer of the model"],
]);

export const excludedWords = (reason: string): string => EXCLUDED.get(reason) ?? reason;

export const score = (value: number | null | undefined): string =>
  value === null || value === undefined ? "–" : value.toFixed(2);

export const signed = (value: number): string =>
  `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;

export const checkValue = ({ value, is_share }: Check): string =>
  value !== null && is_share ? percent(value) : score(value);

/** "[0.41, 0.49]"; words where the data cannot tell. */
export function bounds({ low, high }: Interval, write: (value: number) => string = score): string {
  return low === null || high === null ? "interval unknown" : `[${write(low)}, ${write(high)}]`;
}

/** What a dry run costs; nothing is claimed of what is not known. */
export function cost({ cost_micro_usd, rollouts, judge_calls }: DryRunEstimate): string {
  const isAsked = rollouts !== null || judge_calls > 0;
  return isAsked ? money(cost_micro_usd) : "$0.00 (nothing leaves this machine)";
}
