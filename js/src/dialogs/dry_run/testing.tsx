// A dry run as the kernel gives it, and the dialog on it, for tests.
import { act, cleanup, screen } from "@testing-library/react";
import { afterEach } from "vitest";
import type {
  DryRunEstimate,
  DryRunView,
  GradedAnswer,
  JobState,
  PipelineNode,
  ShownRun,
} from "../../contract.gen";
import { FakeModel } from "../../host/testing";
import { mountWidget } from "../../index";

export const XSS = "<img src=x onerror=alert(1)>";
export const INTERVAL = { level: 0.95, n: 40, clusters: 38, method: "percentile" } as const;
export const MEAN = { ...INTERVAL, estimate: 0.4512, low: 0.41, high: 0.49 };

const ANSWER: GradedAnswer = {
  record_id: "rec_1",
  prompt_key: "p",
  repeat: 0,
  prompt: XSS,
  response: "An answer",
  status: "graded",
  topic: "Billing",
  reward: 0.5,
  sub_rewards: { facts: 1, wording: null },
  reasoning: "Half of it is there",
};

export const RUN: ShownRun = {
  id: "dry_2",
  started_at: "2026-01-02T03:04:05Z",
  config: {
    ...{ n: 300, k: 1, seed: 4, probes: true, answers: "recorded" },
    ...{ model: "", asked: "", temperature: null, max_tokens: null },
  },
  grader_version: 2,
  bins: Array.from({ length: 10 }, (_, place) => ({
    low: place / 10,
    high: (place + 1) / 10,
    count: place,
    where: { dry_run: "dry_2", min_score: place / 10 },
    words: `Score ${place / 10} to ${(place + 1) / 10}`,
  })),
  topics: [{ is_low: true, opens: { where: { dry_run: "dry_2", topic: XSS }, badge: "Graded" } }],
  lowest: { where: { dry_run: "dry_2", max_score: 0.1 }, badge: "Score up to 0.10" },
  answered: "",
  changes: [],
  call: "ds.dry_runs[-1].report",
  report: {
    verdict: "CAUTION",
    reasons: ["Too few", "Too flat"],
    checks: [
      {
        name: "std",
        level: "warn",
        about: "grader",
        value: 0.05,
        sentence: "Too flat",
        bound: "at least 0.10",
        is_share: false,
      },
      {
        name: "above_zero",
        level: "fail",
        about: "data",
        value: 0.051,
        sentence: "Too few",
        bound: "at least 50%",
        is_share: true,
      },
      {
        name: "mean",
        level: "good",
        about: "data",
        value: 0.4512,
        sentence: "Fine",
        bound: "0.25 to 0.65",
        is_share: false,
      },
      {
        name: "probe_empty",
        level: "good",
        about: "grader",
        value: 0,
        sentence: "An empty answer scores 0.",
        bound: "",
        is_share: false,
      },
    ],
    scores: {
      ...{ n: 40, mean: 0.45, std: 0.2, minimum: 0, p10: 0.1, p25: 0.2, median: 0.4, p75: 0.6 },
      ...{ p90: 0.8, maximum: 1, share_above_zero: 0.9, share_one: 0.05, most_common: 0 },
      ...{ most_common_share: 0.1, histogram: [], outside: 0 },
    },
    mean: MEAN,
    topics: [{ topic: XSS, count: 12, mean: MEAN }],
    repeats: null,
    probes: [
      {
        name: "empty",
        passed: true,
        value: 0,
        graded: 8,
        failed: 0,
        sentence: "An empty answer scores 0.",
        bound: "below 0.50",
      },
      {
        name: "echo",
        passed: null,
        value: null,
        graded: 0,
        failed: 8,
        sentence: "It could not be graded.",
        bound: "below 0.50",
      },
    ],
    more_samples: null,
    dataset_quality: "problem",
    grader_quality: "attention",
    fix_first: "First the grader: Too flat",
    best: [ANSWER],
    worst: [],
    middle: [ANSWER],
    excluded: { failed_grading: 3 },
    answers: 43,
    planned: 50,
    answered_by: null,
    failures: [
      {
        status: "failed_grading",
        error: "it broke",
        flags: ["python_grader_runtime_error"],
        count: 3,
        example: { ...ANSWER, status: "failed_grading", reward: null, reasoning: null, error: XSS },
      },
    ],
  },
};

export const VIEW: DryRunView = {
  blocked_by: null,
  grader: "Python script, version 2",
  runs: [
    {
      id: "dry_2",
      started_at: RUN.started_at,
      config: RUN.config,
      grader_version: 2,
      verdict: "CAUTION",
      mean: 0.45,
      answers: 43,
    },
    {
      id: "dry_1",
      started_at: RUN.started_at,
      config: RUN.config,
      grader_version: 1,
      verdict: "GO",
      mean: 0.3,
      answers: 50,
    },
    {
      id: "dry_0",
      started_at: RUN.started_at,
      config: RUN.config,
      grader_version: 1,
      verdict: null,
      mean: null,
      answers: null,
    },
  ],
  shown: RUN,
  cut_off: null,
};

export const ESTIMATE: DryRunEstimate = {
  ...{ available: 640, several: 12, prompts: 300, answers: 300, excluded: { invalid: 4 } },
  ...{ probe_gradings: 56, judge_calls: 0, seconds: null, cost_micro_usd: 0 },
  ...{ notes: [], not_ready: null, rollouts: null, judging: null },
};

export const MODELS = [
  { name: "base", model: "m-1", notice: "", missing: "", works: true },
  { name: "other", model: "m-2", notice: "", missing: "", works: null },
] as const;

export const NODE: PipelineNode = {
  ...{ id: 5, name: "Dry Run", category: "VALIDATION", status: "ready", summary: "" },
  ...{ status_label: "", can_retrigger: true, blocked_reason: null, stale: [], progress: null },
};

export const JOB: JobState = {
  ...{
    dataset_id: "ds_1",
    subject: "",
    created_at: "2026-01-01T00:00:00Z",
    finished_at: null,
    attempts: 1,
  },
  ...{ id: "job1", kind: "dry_run", title: "Dry run", status: "running", share: 0.4 },
  ...{ started_at: RUN.started_at, doing: "Graded 16 of 40 answers", outcome: "", problem: null },
};

const opened: (() => void)[] = [];

/** Mount the dialog; nothing is answered yet. */
export function mountDialog(traits: Record<string, unknown> = {}): FakeModel {
  const model = new FakeModel({ node: NODE, jobs: [], revision: 1, problem: null, ...traits });
  const el = document.body.appendChild(document.createElement("div"));
  act(() => {
    opened.push(mountWidget("dialogs/dry_run", { model, el }));
  });
  return model;
}

export async function show(view: DryRunView, traits: Record<string, unknown> = {}) {
  const model = mountDialog(traits);
  await act(async () => {
    if (model.calls("load").length > 0) model.answer("load", view);
  });
  return model;
}

export const button = (name: string | RegExp) => screen.getByRole("button", { name });

/** Tests of this folder start and end with an empty page. */
export function cleanPage(): void {
  afterEach(() => {
    act(() => {
      for (const close of opened.splice(0)) close();
    });
    cleanup();
    document.body.replaceChildren();
  });
}
