import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DeploymentView, DeployOverview, PipelineNode, PlayedPair } from "../../contract.gen";
import { HostProvider } from "../../host/bridge";
import { Navigator } from "../../host/navigation";
import { FakeModel } from "../../host/testing";
import { DeployDialogWidget } from "./index";

const MARKUP = "<img src=x onerror=alert(1)>";
const NODE: PipelineNode = {
  ...{ id: 7, name: "Deploy", category: "DEPLOYMENT", status: "ready", summary: "" },
  ...{ status_label: "Ready", can_retrigger: true, blocked_reason: null, stale: [] },
  progress: null,
};
const DEPLOYMENT: DeploymentView = {
  ...{
    id: "dep_1",
    mode: "ab_test",
    status: "active",
    model: MARKUP,
    base_model: "gpt",
    ratio: 20,
  },
  ...{ upstream: null, keep_exchanges: true, job: "job_1", created_at: "2026-03-04T12:00:00Z" },
  ...{ served: "served", by_worker: false, said: "", rolled_back_at: null },
  ...{ base_url: "http://127.0.0.1:8000/v1", outcome: null },
  snippet: 'client = OpenAI(api_key="<token>")',
  arms: [{ arm: "tuned", requests: 1200, failed: 1, mean_duration_s: 0.0123 }],
};
const OVERVIEW: DeployOverview = {
  models: [
    {
      ...{ job: "job_1", created_at: "2026-03-04T12:00:00Z", outcome: "improved" },
      ...{ served_step: 5, kept_reference: false, change: null, against_recorded: null },
      benchmark: null,
    },
  ],
  deployments: [],
  model_name: "rft-desk",
};
const PAIR: PlayedPair = {
  base: {
    ...{ text: "old", source_record_id: "a", similarity: 0.5, reward: 0.25, error: null },
    latency_s: 0.002,
  },
  tuned: {
    ...{ text: MARKUP, source_record_id: "b", similarity: 0.5, reward: 0.75, error: null },
    latency_s: 0.25,
  },
};

let model: FakeModel;

async function show(overview: DeployOverview, node: PipelineNode = NODE) {
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

const answer = (method: string, value: unknown) =>
  act(async () => {
    model.answer(method, value);
  });
const last = (method: string) => model.calls(method).at(-1)?.params;
const press = (name: string) =>
  act(async () => {
    fireEvent.click(screen.getByRole("button", { name }));
  });
const go = (name: RegExp) =>
  act(async () => {
    fireEvent.mouseDown(screen.getByRole("tab", { name }), { button: 0 });
  });

afterEach(cleanup);
beforeEach(() => {
  vi.stubGlobal("navigator", { clipboard: { writeText: vi.fn(async () => {}) } });
});

describe("deploying", () => {
  it("waits for a model, and leads to training", async () => {
    await show(
      { ...OVERVIEW, models: [] },
      { ...NODE, status: "waiting", blocked_reason: "Complete training first" },
    );
    expect(screen.getByText("Complete training first")).toBeTruthy();
    expect(screen.queryByRole("tab")).toBeNull();
    expect(screen.getByRole("button", { name: "Open Train Model" })).toBeTruthy();
  });

  it("sends mode, names, ratio and upstream, never a key", async () => {
    await show(OVERVIEW);
    fireEvent.click(screen.getByRole("radio", { name: /^A\/B test/ }));
    const ratio = screen.getByLabelText("Users on the trained model, in percent");
    fireEvent.change(ratio, { target: { value: "20" } });
    fireEvent.blur(ratio);
    const put = (label: string, value: string) =>
      fireEvent.change(screen.getByLabelText(label), { target: { value } });
    put("Base URL", "https://api.example.com/v1");
    put("Variable that holds the key", "DESK_API_KEY");
    await press("Deploy");
    expect(last("deploy")).toEqual({
      ...{ job: "job_1", mode: "ab_test", model: "", base_model: "", ratio: 20 },
      ...{ upstream_url: "https://api.example.com/v1", upstream_model: "" },
      ...{ api_key_env: "DESK_API_KEY", keep_exchanges: true },
    });
    await answer("deploy", "dep_1");
    expect(screen.getByRole("tab", { name: /Endpoints/ }).getAttribute("aria-selected")).toBe(
      "true",
    );
  });

  it("says why it was refused", async () => {
    await show(OVERVIEW);
    await press("Deploy");
    await act(async () => {
      model.refuse("deploy", { code: "invalid_argument", message: "No.", hint: "Do." });
    });
    expect(screen.getByRole("alert").textContent).toContain("No.Do.");
  });

  it("measures both models", async () => {
    await show(OVERVIEW);
    await press("Measure Now");
    expect(last("measure")).toEqual({ job: "job_1" });
  });
});

describe("an endpoint", () => {
  it("shows where it is and what went through it, as text", async () => {
    await show({ ...OVERVIEW, deployments: [DEPLOYMENT] });
    const card = screen.getByRole("article", { name: MARKUP });
    expect(card.textContent).toContain("http://127.0.0.1:8000/v1");
    expect(card.textContent).toContain("20 % of the users · base model gpt");
    expect(screen.getByRole("row", { name: /^Trained 1,200 1 12 ms/ })).toBeTruthy();
    expect(document.querySelector("img")).toBeNull();
  });

  it("asks for the token only when somebody wants it, and forgets it again", async () => {
    await show({ ...OVERVIEW, deployments: [DEPLOYMENT] });
    expect(model.calls("reveal")).toHaveLength(0);
    await press("Show Token");
    await answer("reveal", { token: "s3cret", snippet: "with s3cret" });
    expect(document.body.textContent).toContain("with s3cret");
    await press("Hide Token");
    expect(document.body.textContent).not.toContain("s3cret");
    await press("Copy Snippet");
    await answer("reveal", { token: "s3cret", snippet: "with s3cret" });
    expect(navigator.clipboard.writeText).toHaveBeenCalledWith("with s3cret");
    expect(document.body.textContent).not.toContain("s3cret");
  });

  it("shows what it cannot copy", async () => {
    vi.stubGlobal("navigator", {});
    await show({ ...OVERVIEW, deployments: [DEPLOYMENT] });
    await press("Copy Token");
    await answer("reveal", { token: "s3cret", snippet: "with s3cret" });
    expect(document.body.textContent).toContain("s3cret");
    expect(screen.getByText(/This page may not copy/)).toBeTruthy();
  });

  it("is rolled back after a question", async () => {
    await show({ ...OVERVIEW, deployments: [DEPLOYMENT] });
    await press("Roll Back");
    expect(model.calls("roll_back")).toHaveLength(0);
    const dialog = screen.getByRole("alertdialog");
    expect(dialog.textContent).toContain("gpt answers everything");
    await press("Roll Back"); // the one of the question: all else is hidden meanwhile
    expect(last("roll_back")).toEqual({ deployment: "dep_1" });
  });

  const STOPPED: DeploymentView = {
    ...DEPLOYMENT,
    ...{ served: "not_served", base_url: null, snippet: null },
  };

  it("that no server has can be started again, one that was rolled back says so", async () => {
    await show({ ...OVERVIEW, deployments: [STOPPED] });
    expect(screen.getByText("Not served")).toBeTruthy();
    await press("Start");
    expect(last("start")).toEqual({ deployment: "dep_1" });
    cleanup();
    await show({ ...OVERVIEW, deployments: [{ ...STOPPED, status: "rolled_back" }] });
    await go(/Endpoints/);
    expect(screen.getByText("Rolled back")).toBeTruthy();
    expect(screen.queryByText("Not served")).toBeNull();
    expect(screen.queryByRole("button", { name: "Roll Back" })).toBeNull();
  });

  it("of the worker says that it starts, why it is not served, and what it keeps", async () => {
    const kept = { by_worker: true } as const;
    await show({ ...OVERVIEW, deployments: [{ ...STOPPED, ...kept, served: "starting" }] });
    expect(screen.getByText("Starting…")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Start" })).toBeNull();
    cleanup();
    const said = `No worker is at work. ${MARKUP}`;
    await show({ ...OVERVIEW, deployments: [{ ...STOPPED, ...kept, said }] });
    expect(screen.getByText(said)).toBeTruthy();
    cleanup();
    const moved = { ...DEPLOYMENT, ...kept, said: "Port 8000 was taken." };
    await show({ ...OVERVIEW, deployments: [moved] });
    expect(screen.getByText("Port 8000 was taken.")).toBeTruthy();
    expect(screen.getByText(/Address and token stay the same/)).toBeTruthy();
  });
});

describe("the playground", () => {
  it("asks both models, with what they earn side by side", async () => {
    await show(OVERVIEW);
    await go(/Playground/);
    await answer("prompts", [{ record_id: "r1", text: "Where is it?", topic: MARKUP }]);
    const ask = screen.getByRole<HTMLButtonElement>("button", { name: "Ask Both" });
    expect(ask.disabled).toBe(true);
    const prompt = screen.getByLabelText<HTMLTextAreaElement>("Prompt");
    fireEvent.change(prompt, { target: { value: " Hello " } });
    await press("Ask Both");
    expect(last("play")).toEqual({ job: "job_1", text: "Hello" });
    await answer("play", PAIR);
    const trained = screen.getByRole("region", { name: "Trained" });
    expect(trained.textContent).toContain("Trained0.75+0.50");
    expect(trained.textContent).toContain("250 ms");
    expect(document.querySelector("img")).toBeNull();

    fireEvent.change(screen.getByLabelText("Validation prompt"), { target: { value: "r1" } });
    expect([prompt.value, prompt.readOnly]).toEqual(["Where is it?", true]);
    expect(screen.queryByRole("region", { name: "Trained" })).toBeNull();
    fireEvent.keyDown(prompt, { key: "Enter", ctrlKey: true });
    await answer("play_record", PAIR);
    expect(last("play_record")).toEqual({ job: "job_1", record: "r1" });
  });
});
