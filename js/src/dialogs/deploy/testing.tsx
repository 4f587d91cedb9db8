// What the tests of this dialog share.
import { act, fireEvent, render, screen } from "@testing-library/react";
import type { DeploymentView, DeployOverview, PipelineNode, PlayedPair } from "../../contract.gen";
import { HostProvider } from "../../host/bridge";
import { Navigator } from "../../host/navigation";
import { FakeModel } from "../../host/testing";
import { DeployDialogWidget } from "./index";

export const MARKUP = "<img src=x onerror=alert(1)>";
export const NODE: PipelineNode = {
  ...{ id: 7, name: "Deploy", category: "DEPLOYMENT", status: "ready", summary: "" },
  ...{ status_label: "Ready", can_retrigger: true, blocked_reason: null, stale: [] },
  progress: null,
};
export const DEPLOYMENT: DeploymentView = {
  ...{
    id: "dep_1",
    mode: "ab_test",
    status: "active",
    model: MARKUP,
    base_model: "gpt",
    ratio: 20,
  },
  ...{ upstream: null, keep_exchanges: true, job: "job_1", created_at: "2026-03-04T12:00:00Z" },
  checkpoint: null,
  ...{ served: "served", by_worker: false, said: "", rolled_back_at: null },
  ...{ base_url: "http://127.0.0.1:8000/v1", outcome: null },
  snippet: 'client = OpenAI(api_key="<token>")',
  arms: [{ arm: "tuned", requests: 1200, failed: 1, mean_duration_s: 0.0123 }],
};
export const OVERVIEW: DeployOverview = {
  models: [
    {
      ...{ job: "job_1", created_at: "2026-03-04T12:00:00Z", outcome: "improved" },
      ...{ trainer: "Embedded trainer", base_model: null, serving: "By the app.", problem: "" },
      ...{ checkpoints: [], own_step: 5 },
      ...{ served_step: 5, kept_reference: false, change: null, against_recorded: null },
      benchmark: null,
    },
  ],
  deployments: [],
  model_name: "rft-desk",
};
export const PAIR: PlayedPair = {
  base: {
    ...{ text: "old", source_record_id: "a", similarity: 0.5, reward: 0.25, error: null },
    ...{ latency_s: 0.002, tokens: null },
  },
  tuned: {
    ...{ text: MARKUP, source_record_id: "b", similarity: 0.5, reward: 0.75, error: null },
    ...{ latency_s: 0.25, tokens: null },
  },
};

export let model: FakeModel;

export async function show(overview: DeployOverview, node: PipelineNode = NODE) {
  model = new FakeModel({ node, jobs: [], revision: 0 });
  render(
    <HostProvider model={model} signal={new AbortController().signal}>
      <Navigator components={new Map()}>
        <DeployDialogWidget />
      </Navigator>
    </HostProvider>,
  );
  await answer("load", overview);
}

export const answer = (method: string, value: unknown) =>
  act(async () => {
    model.answer(method, value);
  });
export const last = (method: string) => model.calls(method).at(-1)?.params;
export const press = (name: string) =>
  act(async () => {
    fireEvent.click(screen.getByRole("button", { name }));
  });
export const go = (name: RegExp) =>
  act(async () => {
    fireEvent.mouseDown(screen.getByRole("tab", { name }), { button: 0 });
  });
