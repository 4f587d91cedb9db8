import { act, fireEvent, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import type { RecordsView } from "../../contract.gen";
import { FakeModel, showOn, takeDown } from "../../host/testing";
import { RecordsDialogWidget } from ".";

afterEach(takeDown);

const VIEW: RecordsView = {
  source: "gateway",
  health: {
    status: "attention",
    total: 2000,
    valid: 1990,
    invalid: 10,
    duplicates: 0,
    errors_by_code: { no_user_message: 10 },
    refused_lines: 3,
    recommendations: [],
  },
  generated: 7,
  dates: {
    added_first: "2026-02-01T10:00:00Z",
    added_last: "2026-02-02T10:00:00Z",
    recorded_first: null,
    recorded_last: null,
  },
  faults: [{ code: "no_user_message", words: "No user", advice: "Add one", count: 10 }],
  imports: [
    {
      id: "imp_1",
      mode: "append",
      source: "<b>spans</b>",
      finished: true,
      current: true,
      started_at: "2026-02-01T10:00:00Z",
      updated_at: "2026-02-01T10:00:00Z",
      lines: 2003,
      blank: 0,
      imported: 2000,
      valid: 1990,
      invalid: 10,
      duplicates: 0,
      refused: 3,
      fingerprint: null,
    },
  ],
  import_count: 30,
  pulled: [{ location: "/data/spans.jsonl", read_at: "2026-02-02T10:00:00Z" }],
};

async function settle(run: () => void = () => {}): Promise<void> {
  await act(async () => run());
}

async function show(view: RecordsView, traits: object = {}) {
  const model = new FakeModel({ name: "S", revision: 0, jobs: [], node: null, ...traits });
  const el = await showOn(model, RecordsDialogWidget);
  await settle(() => model.answer("load", view));
  return { model, el };
}

it("shows counts, source, dates and faults as text", async () => {
  const { el } = await show(VIEW);
  expect([...el.querySelectorAll("dd")].map((one) => one.firstChild?.textContent)).toContain(
    "2,000",
  );
  expect(el.textContent).toContain("Gateway traces: <b>spans</b>");
  expect(el.textContent).toContain("The last 1 of 30 imports");
  expect(el.textContent).toContain("Times are not known");
  expect(el.querySelector("b")).toBeNull();
});

it("pulls where there is a source, and says what is needed where there is none", async () => {
  const { model } = await show(VIEW);
  await settle(() => fireEvent.click(screen.getByRole("button", { name: "Pull New Traces" })));
  expect(model.calls("start_pull")).toHaveLength(1);
  takeDown();
  const { el } = await show({ ...VIEW, pulled: [] });
  expect(screen.getByRole("button", { name: "Pull New Traces" }).hasAttribute("disabled")).toBe(
    true,
  );
  expect(el.textContent).toContain("New traces cannot be pulled");
});

it("opens the errors of an import, one at a time", async () => {
  const { model, el } = await show(VIEW);
  await settle(() => fireEvent.click(screen.getByRole("button", { name: /^Errors of/ })));
  expect(model.calls("load_issues")[0]?.params).toEqual({ import_id: "imp_1" });
  await settle(() =>
    model.answer("load_issues", [
      { line: 4, code: "invalid_json", message: "<i>bad</i>", refused: true },
    ]),
  );
  expect(el.textContent).toContain("<i>bad</i>");
  await settle(() => fireEvent.click(screen.getByRole("button", { name: "Errors as CSV" })));
  expect(model.calls("download_issues")[0]?.params).toEqual({
    import_id: "imp_1",
    file_format: "csv",
  });
});

it("opens the records that break a rule", async () => {
  const { model } = await show(VIEW);
  await settle(() => fireEvent.click(screen.getByRole("button", { name: /^No user / })));
  expect(model.calls("open_records")).toHaveLength(1);
});

it("offers to go on with what was cut off, but not while it may still be running", async () => {
  const cut = { ...VIEW, imports: VIEW.imports.map((one) => ({ ...one, finished: false })) };
  const node = { status: "processing", summary: "Extracting" };
  const { el } = await show(cut, { node });
  expect(screen.queryByRole("button", { name: "Resume" })).toBeNull();
  expect(el.textContent).toContain("Extracting");
  takeDown();
  const { model } = await show(cut);
  await settle(() => fireEvent.click(screen.getByRole("button", { name: "Discard" })));
  expect(model.calls("discard_unfinished")[0]?.params).toEqual({ import_id: "imp_1" });
});

it("is empty before there are records", async () => {
  const health = { ...VIEW.health, total: 0, valid: 0, invalid: 0 };
  await show({ ...VIEW, health, imports: [], faults: [], pulled: [], import_count: 0 });
  expect(screen.getByText("No records yet")).toBeTruthy();
});
