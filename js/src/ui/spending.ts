// What asking models takes, as people read it. Nothing is claimed of what is not known.
import type { CallTotals, WorkEstimate } from "../contract.gen";
import { count, counted, percent } from "./numbers";
import { duration } from "./time";

const MILLION = 1_000_000;
const CENT = 10_000; // millionths of a dollar

/** "$1.25", of millionths of a dollar. */
export function money(microUsd: number | null): string {
  if (microUsd === null) return "Unknown";
  if (microUsd > 0 && microUsd < CENT) return "<$0.01";
  return (microUsd / MILLION).toLocaleString("en-US", { style: "currency", currency: "USD" });
}

/** "about 3 min 20 s". */
export function minutesWords(minutes: number | null): string {
  return minutes === null ? "unknown" : `about ${duration(Math.max(1, minutes * 60))}`;
}

/** How far earlier estimates were off; `null` where there are none. */
export function pastErrorWords({ past_error }: WorkEstimate): string | null {
  if (past_error === null) return null;
  const { works, ratio, lowest, highest } = past_error;
  if (works === 1) return `Last time it came to ${percent(ratio)} of the estimate.`;
  return (
    `In ${count(works)} earlier cases it came to ${percent(lowest)} to ${percent(highest)} ` +
    `of the estimate, ${percent(ratio)} in the middle.`
  );
}

/** All of it in a line. */
export function estimateWords(estimate: WorkEstimate): string {
  const { calls, prompt_tokens, completion_tokens, cost_micro_usd, minutes } = estimate;
  if (calls === 0) return "No call.";
  const cost = cost_micro_usd === null ? "at an unknown price" : money(cost_micro_usd);
  const time = minutes === null ? "" : `, ${minutesWords(minutes)}`;
  return `About ${counted(calls, "call")}, ${count(prompt_tokens + completion_tokens)} tokens, ${cost}${time}.`;
}

/** What it came to: "120 calls to models, 48,000 tokens, $0.42; 3 failed." */
export function costWords(total: CallTotals): string {
  const { calls, failed, prompt_tokens, completion_tokens, cost_micro_usd } = total;
  const cost = cost_micro_usd === null ? "at an unknown price" : money(cost_micro_usd);
  const lost = failed > 0 ? `; ${count(failed)} failed` : "";
  return `${counted(calls, "call to a model", "calls to models")}, ${count(prompt_tokens + completion_tokens)} tokens, ${cost}${lost}.`;
}
