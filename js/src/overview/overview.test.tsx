import { act, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { type JobState, PIPELINE_STEPS } from "../contract.gen";
import { FakeModel, showOn, takeDown } from "../host/testing";
import { Toasts, useToast } from "../ui/toasts";
import { newsOf, OverviewWidget } from ".";

afterEach(takeDown);

const JOB: JobState = {
  ...{ dataset_id: "ds_1", created_at: "2026-01-01T00:00:00Z", finished_at: null, attempts: 1 },
  subject: "",
  id: "j1",
  kind: "categorize",
  title: "Categorise",
  status: "running",
  started_at: "2026-01-01T00:00:00Z",
  share: 0.5,
  doing: "Placing records",
  outcome: "",
  problem: null,
};

async function settle(run: () => void = () => {}): Promise<void> {
  await act(async () => run());
}

async function show(traits: object = {}) {
  const nodes = PIPELINE_STEPS.map((step) => ({
    ...step,
    status: "ready",
    summary: "",
    status_label: "Ready",
    blocked_reason: null,
    stale: [],
    progress: null,
  }));
  const model = new FakeModel({
    name: "<b>Support</b>",
    revision: 0,
    jobs: [],
    height: 400,
    activity: "",
    problem: null,
    state: { nodes, current_step: 1 },
    report: {
      status: "healthy",
      total: 20,
      valid: 18,
      invalid: 2,
      duplicates: 0,
      errors_by_code: {},
      refused_lines: 0,
      recommendations: [],
    },
    ...traits,
  });
  const el = await showOn(model, OverviewWidget);
  return { model, el };
}

it("names the dataset, as text", async () => {
  const { el } = await show();
  expect(el.querySelector("h2")?.textContent).toBe("RFT Pipeline • <b>Support</b>");
});

it("shows work while it runs, stops it, and says how it ended", async () => {
  const { model, el } = await show({ jobs: [JOB] });
  expect(el.querySelector(".rft-strip")?.textContent).toContain("Categorise Placing records50%");
  await settle(() => fireEvent.click(screen.getByRole("button", { name: "Stop" })));
  expect(model.calls("cancel_job")[0]?.params).toEqual({ job: "j1" });
  await settle(() => model.set("jobs", [{ ...JOB, status: "succeeded", outcome: "20 placed." }]));
  expect(el.querySelector(".rft-strip")).toBeNull();
  expect(document.querySelector(".rft-toast")?.textContent).toContain("Categorise: done20 placed.");
});

it("tells of work that was too quick to be seen, and of none from before", async () => {
  const old = { ...JOB, id: "old", status: "succeeded" as const, outcome: "Long ago." };
  const { model } = await show({ jobs: [old] });
  const soon = new Date(Date.now() + 1000).toISOString();
  const quick = { ...old, id: "quick", created_at: soon, outcome: "20 placed." };
  await settle(() => model.set("jobs", [old, quick]));
  await settle(() => model.set("jobs", [old, { ...quick }]));
  const check = { ...quick, id: "check", kind: "check_file", outcome: "20 found." };
  await settle(() => model.set("jobs", [old, quick, check]));
  const toasts = [...document.querySelectorAll(".rft-toast")].map((one) => one.textContent);
  expect(toasts).toHaveLength(1);
  expect(toasts[0]).toContain("20 placed.");
});

it("says once what two views may tell of", async () => {
  function Twice() {
    const say = useToast();
    const tell = (title: string) => () => say({ title, text: "20 placed." });
    return (
      <>
        <button type="button" onClick={tell("Categorise: done")}>
          One
        </button>
        <button type="button" onClick={tell("Done")}>
          Other
        </button>
      </>
    );
  }
  render(
    <Toasts>
      <Twice />
    </Toasts>,
  );
  await settle(() => fireEvent.click(screen.getByRole("button", { name: "One" })));
  await settle(() => fireEvent.click(screen.getByRole("button", { name: "Other" })));
  expect(document.querySelectorAll(".rft-toast")).toHaveLength(1);
});

it("gives news by how work ended", () => {
  const problem = { code: "x", message: "It broke.", hint: null };
  expect(newsOf({ ...JOB, status: "failed", problem })).toMatchObject({
    text: "It broke.",
    tone: "bad",
  });
  expect(newsOf({ ...JOB, status: "cancelled", outcome: "5 are kept." })).toMatchObject({
    title: "Categorise: stopped",
    text: "5 are kept.",
  });
});

it("opens help by its key, but not where somebody types", async () => {
  const { el } = await show();
  const overview = el.querySelector(".rft-dataset");
  if (!overview) throw new Error("there is no overview");
  const input = overview.appendChild(document.createElement("input"));
  await settle(() => fireEvent.keyDown(input, { key: "?" }));
  expect(screen.queryByRole("dialog")).toBeNull();
  await settle(() => fireEvent.keyDown(overview, { key: "?" }));
  const help = screen.getByRole("dialog", { name: "Help" });
  for (const step of PIPELINE_STEPS) expect(help.textContent).toContain(step.name);
  expect(help.textContent).toContain("ds.dry_run()");
});

it("asks for the format of a download, and says why one failed", async () => {
  const { model } = await show();
  const data = screen.getByRole("button", { name: "Data" });
  await settle(() => fireEvent.keyDown(data, { key: "Enter" }));
  const item = screen.getByRole("menuitem", { name: "Download Records" });
  await settle(() => fireEvent.click(item));
  await settle(() => fireEvent.click(screen.getByRole("radio", { name: /^Training/ })));
  await settle(() => fireEvent.click(screen.getByRole("button", { name: "Download 18 Records" })));
  expect(model.calls("download_records")[0]?.params).toEqual({ file_format: "training" });
  expect(screen.getByText("The file is being written", { exact: false })).toBeTruthy();
  await settle(() =>
    model.refuse("download_records", {
      code: "download_too_large",
      message: "The file has more than 100 MB.",
      hint: "ds.export_records(...)",
    }),
  );
  expect(screen.getByRole("alert").textContent).toContain("ds.export_records(...)");
});
