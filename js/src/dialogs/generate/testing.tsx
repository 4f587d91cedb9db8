// The dialog for tests: values as the kernel sends them, and a page that shows it.
import { act } from "@testing-library/react";
import type {
  BatchView,
  CandidateGroup,
  CandidateView,
  GenerateOptions,
  GenerationConfig,
  GenerationPlan,
  JobState,
} from "../../contract.gen";
import { FakeModel, showOn } from "../../host/testing";
import { GenerateDialogWidget } from ".";

export const XSS = "<img src=x onerror=alert(1)>";

export const CONFIG: GenerationConfig = {
  ...{ source: "gaps", topics: [], selection: null, records_per_topic: 20, strategy: null },
  ...{ variations_per_record: 3, preserve_intent: true, temperature: 0.7, retries: 3 },
  ...{ max_synthetic_ratio: 0.3, min_length: 20, max_length: 2000 },
  ...{ near_duplicate_threshold: 0.9, examples: 3, candidates_per_request: 5, seed: 0 },
  ...{ scenario: "", aspects: [], tools: [], whole_exchange: false },
  difficulty: { easy: 1, medium: 1, hard: 1 },
};

export const OPTIONS: GenerateOptions = {
  config: CONFIG,
  strategies: [
    { name: "few_shot", words: "Like a few recorded ones." },
    { name: "topic_description", words: "From the description." },
    { name: "tool_chain", words: "Tools in order." },
  ],
  topics: [XSS, "Returns"],
};

export const PLAN: GenerationPlan = {
  config: CONFIG,
  topics: [
    {
      ...{ topic: XSS, current: 40, target_percentage: 50, wanted: 2000, to_generate: 1200 },
      strategy: "few_shot",
    },
  ],
  ...{ total: 1200, wanted: 2000, room: 1200, synthetic_share: 0.3 },
  ...{ balance_before: 0.1, balance_after: 0.52, input_tokens: 9000, output_tokens: 150 },
  ...{ calls: 240, estimate: null },
};

export const MODEL = { name: "writer", model: "m-1", notice: "", missing: "", works: null };

export const JOB: JobState = {
  ...{ id: "run_1", dataset_id: "ds_1", kind: "generate", subject: "", title: "Generate records" },
  ...{ status: "running", share: 0.4, doing: "4 of 10", outcome: "", problem: null, attempts: 1 },
  ...{ created_at: "2026-01-01T00:00:00Z", started_at: "2026-01-01T00:00:00Z", finished_at: null },
};

/** A batch of a topic with `count` candidates, of which the last `faulty` have a fault. */
export function batchOf(
  count: number,
  faulty = 0,
  more: Partial<BatchView["state"]> = {},
): BatchView {
  const ids = Array.from({ length: count }, (_, id) => id);
  const group: CandidateGroup = {
    ...{ topic: "Returns", strategy: "few_shot", ids },
    faulty: ids.slice(count - faulty),
  };
  return {
    state: {
      ...{ id: "gen_1", number: 1, status: "review", plan: PLAN, model: "writer" },
      ...{ job_id: "run_1", created_at: JOB.created_at, updated_at: JOB.created_at },
      topics: [
        {
          ...{ topic: "Returns", strategy: "few_shot", to_generate: count },
          ...{ good: count - faulty, faulty, accepted: 0, discarded: 0 },
        },
      ],
      ...{ candidates: count, good: count - faulty, open: count, open_good: count - faulty },
      ...{ accepted: 0, discarded: 0, faults: {}, diversity: 0.8, recorded_diversity: 0.9 },
      ...more,
    },
    groups: count > 0 ? [group] : [],
    spent: { calls: 3, cost_micro_usd: 1_250_000 },
  };
}

export const CANDIDATE: CandidateView = {
  ...{ id: 0, topic: "Returns", strategy: "few_shot", difficulty: null },
  ...{ fault: null, fault_words: "", similarity: 0.2, source_record_id: "rec_1", shown: 3 },
  ...{ shared: [], before: [], after: [], output: [], tools: [], basis: "", repeats: null },
  was: [{ text: XSS, differs: true }],
  wrote: [
    { text: "I want to send it ", differs: false },
    { text: "back", differs: true },
  ],
};

/** Show the dialog with a batch, or with none. */
export async function show(view: BatchView | null, traits: Record<string, unknown> = {}) {
  const model = new FakeModel({
    ...{ name: "S", revision: 1, node: null, problem: null, jobs: [] },
    ...traits,
  });
  const el = await showOn(model, GenerateDialogWidget);
  await act(async () => {
    model.answer("load", OPTIONS);
    model.answer("open_batch", { view });
  });
  return { model, el };
}
