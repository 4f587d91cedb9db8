// What the tests of this dialog share.
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { vi } from "vitest";
import type { TrainerInfo, TrainingConfig, TrainingRunRow } from "../../contract.gen";
import { HostProvider } from "../../host/bridge";
import type { Action, Loaded } from "../../host/loaded";
import { Navigator } from "../../host/navigation";
import { FakeModel } from "../../host/testing";

export const MARKUP = "<img src=x onerror=alert(1)>";

export const CONFIG: TrainingConfig = {
  trainer: "local",
  base_model: null,
  connection: null,
  train_ratio: 0.9,
  stratify_by_topic: true,
  include_generated_in_valid: false,
  seed: 0,
  max_cost_usd: null,
  hyperparameters: {},
  settings: {},
};

export const ROW: TrainingRunRow = {
  ...{ id: "job_1", status: "completed", was_killed: false, created_at: "2026-03-04T12:00:00Z" },
  ...{
    finished_at: null,
    trainer: "local",
    base_model: null,
    n_epochs: 2,
    grader_version: 1,
    data: "abcdef123456",
  },
  ...{ outcome: null, summary: "" },
};

const CAPABILITIES: TrainerInfo["capabilities"] = {
  ...{ grader_runs: "here", graders: ["string_check"], pauses: true, survives_restart: true },
  ...{ rollouts: true, checkpoints: true, measures: true, tools: true, serving: "Here." },
};

/** A trainer that needs nothing and can do everything, unless something else is said. */
export function trainer(
  part: Partial<TrainerInfo> = {},
  can: Partial<TrainerInfo["capabilities"]> = {},
): TrainerInfo {
  return {
    ...{ name: "local", title: "Embedded trainer", description: "Learns.", needs: "Nothing." },
    ...{ missing: "", base_model: "None.", base_models: [], settings: [], hyperparameters: [] },
    ...{ needs_base_model: false, needs_connection: false },
    capabilities: { ...CAPABILITIES, ...can },
    ...part,
  };
}

export const loaded = <V,>(value: V, problem: Loaded<V>["problem"] = null): Loaded<V> => ({
  ...{ value, problem, isLoading: false, reload: vi.fn() },
});
export function action<A extends unknown[]>(): Action<A> & { run: ReturnType<typeof vi.fn> } {
  return { isBusy: false, problem: null, run: vi.fn(async () => true), clear: vi.fn() };
}

export function inHost(shown: ReactNode) {
  const signal = new AbortController().signal;
  return render(
    <HostProvider model={new FakeModel()} signal={signal}>
      <Navigator components={new Map()}>{shown}</Navigator>
    </HostProvider>,
  );
}
