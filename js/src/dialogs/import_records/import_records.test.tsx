import { act, fireEvent, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { FileCheck, ImportInfo, ImportView } from "../../contract.gen";
import { FakeModel, showOn, takeDown } from "../../host/testing";
import { ImportRecordsDialogWidget } from ".";

afterEach(takeDown);

const CHECK: FileCheck = {
  format: "records",
  lines: 103,
  blank: 1,
  records: 100,
  refused: 2,
  append: { valid: 90, invalid: 10, duplicates: 4 },
  replace: { valid: 94, invalid: 6, duplicates: 0 },
  faults: [{ code: "no_user_message", words: "There is no message of the user", count: 6 }],
  refusals: [{ code: "invalid_json", words: "The line is not JSON", count: 2 }],
  lost_calls: 0,
  preview: [
    {
      line: 1,
      messages: [
        { tag: "SYS", text: "Be kind." },
        { tag: "USR", text: "<img src=x onerror=alert(1)>" },
      ],
      more: 3,
      issues: [],
    },
  ],
  issues: [],
  issue_count: 8,
  fingerprint: "f",
};
const UPLOAD = { id: "u1", name: "new.jsonl", size: 2_000_000, received: 2_000_000 };
const VIEW: ImportView = {
  records: 1234,
  upload: null,
  check: null,
  unfinished: null,
  others: [],
  result: null,
  piece_bytes: 4,
  max_bytes: 1000,
};
const CUT: ImportInfo = {
  id: "imp_1",
  mode: "append",
  source: "cut.jsonl",
  finished: false,
  current: true,
  started_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
  lines: 1000,
  blank: 0,
  imported: 990,
  valid: 990,
  invalid: 0,
  duplicates: 0,
  refused: 10,
  fingerprint: "f",
};

async function settle(run: () => void = () => {}): Promise<void> {
  await act(async () => run());
}

async function show(view: ImportView) {
  const model = new FakeModel({ name: "Support", revision: 0, jobs: [], node: null });
  const el = await showOn(model, ImportRecordsDialogWidget);
  await settle(() => model.answer("load", view));
  return { model, el };
}

const click = (name: string | RegExp) =>
  settle(() => fireEvent.click(screen.getByRole("button", { name })));

describe("the import dialog", () => {
  it("takes a file, sends its pieces and has it looked at", async () => {
    const { model, el } = await show(VIEW);
    const input = el.querySelector("input[type=file]");
    if (!input) throw new Error("there is no input");
    const file = new File(["0123456789"], "a.jsonl");
    await settle(() => fireEvent.change(input, { target: { files: [file] } }));
    expect(model.calls("begin_upload")[0]?.params).toEqual({ name: "a.jsonl", size: 10 });
    await settle(() => model.answer("begin_upload", { ...UPLOAD, received: 0 }));
    await vi.waitFor(() => expect(model.calls("put_piece")).toHaveLength(2));
    expect(screen.getByText("a.jsonl: 0 bytes of 10 bytes")).toBeTruthy();
    await click("Stop");
    expect(model.calls("reset")).toHaveLength(1);
    expect(el.querySelector("progress")).toBeNull();
  });

  it("says what a file holds, in the mode that is chosen", async () => {
    const { model, el } = await show({ ...VIEW, check: CHECK, upload: UPLOAD });
    expect(el.textContent).toContain("10 records have validation errors. These will be excluded.");
    expect(el.textContent).toContain("The line is not JSON: 2 lines refused");
    expect(el.textContent).toContain("[USR]<img src=x onerror=alert(1)>");
    expect(el.querySelector("img")).toBeNull();
    await settle(() => fireEvent.click(screen.getByRole("radio", { name: /^Replace/ })));
    expect(el.textContent).toContain("6 records have validation errors");
    expect(screen.getByRole("alert").textContent).toBe(
      "This removes the 1,234 records of the dataset.",
    );
    await click("Import 100 Records");
    expect(model.calls("start_import")).toHaveLength(0);
    await click("Replace 1,234 Records");
    expect(model.calls("start_import")[0]?.params).toEqual({ mode: "replace", resume: false });
  });

  it("asks for nothing before an append, nor before a replace of nothing", async () => {
    const { model } = await show({ ...VIEW, records: 0, check: CHECK, upload: UPLOAD });
    await settle(() => fireEvent.click(screen.getByRole("radio", { name: /^Replace/ })));
    expect(screen.queryByRole("alert")).toBeNull();
    await click("Import 100 Records");
    expect(model.calls("start_import")).toHaveLength(1);
  });

  it("goes on with an import of this very file that was cut off", async () => {
    const { model, el } = await show({ ...VIEW, check: CHECK, upload: UPLOAD, unfinished: CUT });
    expect(el.textContent).toContain("990 records of it are here.");
    await click("Resume Import");
    expect(model.calls("start_import")[0]?.params).toEqual({ mode: "append", resume: true });
  });

  it("offers other imports that were cut off to be discarded", async () => {
    const { model } = await show({ ...VIEW, others: [{ ...CUT, mode: "replace" }] });
    expect(screen.getByText(/Nothing was replaced/)).toBeTruthy();
    await click("Discard");
    expect(model.calls("discard_unfinished")[0]?.params).toEqual({ import_id: "imp_1" });
  });

  it("has no record to import: says so and cannot", async () => {
    await show({ ...VIEW, check: { ...CHECK, records: 0, preview: [] }, upload: UPLOAD });
    const button = screen.getByRole("button", { name: "Import 0 Records" });
    expect(button.hasAttribute("disabled")).toBe(true);
    expect(screen.queryByRole("radio")).toBeNull();
  });

  it("tells the kernel when it is left", async () => {
    const { model } = await show(VIEW);
    takeDown();
    expect(model.calls("leave")).toHaveLength(1);
  });
});
