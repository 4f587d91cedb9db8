// The app with a model that a test answers for.
import { act, fireEvent, screen } from "@testing-library/react";
import { type DatasetCard, type JobLine, type JobState, PIPELINE_STEPS } from "../contract.gen";
import type { Model } from "../host/model";
import { FakeModel } from "../host/testing";
import { mountWidget } from "../index";

export const JOB: JobState = {
  ...{ id: "run_1", dataset_id: "ds_1", kind: "categorize", subject: "", title: "Categorise" },
  ...{ status: "running", created_at: "2026-01-01T00:00:00Z", share: 0.45 },
  ...{ started_at: "2026-01-01T00:00:01Z", finished_at: null, attempts: 1 },
  ...{ doing: "Placing records", outcome: "", problem: null },
};

export const line = (job: Partial<JobState> = {}): JobLine => ({
  job: { ...JOB, ...job },
  dataset: "Support desk",
});

export const CARD: DatasetCard = {
  ...{ id: "ds_1", name: "Support <b>desk</b>", objective: "", records: 1008, topics: 7 },
  ...{ balance: 0.72, status: "attention", updated_at: "2026-01-01T00:00:00Z", job: null },
  status_line: "Step 2: Topics & Category needs attention",
  steps: ["active", "attention", "complete", "configured", "passed", "ready", "waiting"],
};

let unmount = () => {};

export interface ShownApp {
  readonly app: FakeModel;
  /** Models of pages that the app may open, by id. */
  readonly models: Map<string, Model>;
  readonly el: HTMLElement;
}

export async function settle(run: () => void = () => {}): Promise<void> {
  await act(async () => run());
}

/** Show the app at an address, as a page of its own; without one, as in a notebook. */
export async function showApp(address?: string, traits: object = {}): Promise<ShownApp> {
  if (address !== undefined) {
    const meta = document.head.appendChild(document.createElement("meta"));
    meta.name = "rft-base";
    meta.content = "/user/me/";
    window.history.replaceState(null, "", `/user/me/${address}`);
  }
  const models = new Map<string, Model>();
  const app = Object.assign(new FakeModel({ revision: 0, jobs: [], ...traits }), {
    widget_manager: {
      get_model: async (id: string) => {
        const found = models.get(id);
        if (!found) throw new Error(`there is no model ${id}`);
        return found;
      },
    },
  });
  const el = document.body.appendChild(document.createElement("div"));
  await settle(() => {
    unmount = mountWidget("app", { model: app, el });
  });
  return { app, models, el };
}

export function takeDownApp(): void {
  act(() => unmount());
  document.body.replaceChildren();
  document.querySelector('meta[name="rft-base"]')?.remove();
}

/** What the address bar shows, below the base. */
export const address = (): string =>
  (window.location.pathname + window.location.search).replace("/user/me/", "");

/** Go back, as the browser's button does, and wait for what comes of it. */
export async function goBack(): Promise<void> {
  await act(async () => {
    const moved = new Promise((done) => window.addEventListener("popstate", done, { once: true }));
    window.history.back();
    await moved;
  });
}

/** A dataset's page as the kernel has it; nothing is answered yet. */
export function datasetModel(): FakeModel {
  const nodes = PIPELINE_STEPS.map((step) => ({
    ...{ ...step, status: "ready", summary: "", status_label: "Ready" },
    ...{ blocked_reason: null, stale: [], progress: null },
  }));
  const report = {
    ...{ status: "healthy", total: 20, valid: 18, invalid: 2, duplicates: 0 },
    ...{ errors_by_code: {}, refused_lines: 0, recommendations: [] },
  };
  return new FakeModel({
    ...{ name: "Support desk", revision: 0, jobs: [], height: 0, activity: "", problem: null },
    ...{ state: { nodes, current_step: 1 }, report },
  });
}

/** Show the app at a dataset's address, with its page there. */
export async function openDataset(path: string) {
  const shown = await showApp(path);
  const dataset = datasetModel();
  shown.models.set("page", dataset);
  await settle(() => shown.app.answer("open_dataset", "page"));
  return { ...shown, dataset };
}

export const press = (name: string | RegExp) =>
  settle(() => fireEvent.click(screen.getByRole("button", { name })));
