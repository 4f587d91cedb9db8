import { act, cleanup, fireEvent, screen } from "@testing-library/react";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DetectedPattern, FileState, ScanState, TracePage } from "../../contract.gen";
import { mount } from "../../host/mount";
import { FakeModel } from "../../host/testing";
import { AppHost } from "../app_host";
import { Router } from "../routing";
import { CreatePageWidget } from ".";

const PATTERN: DetectedPattern = {
  title: "Support Assistant",
  traces: 12,
  system_prompt: {
    text: `You answer.\n${"long ".repeat(60)}`,
    share: 0.9,
    is_template: false,
    distinct: 2,
  },
  capabilities: [{ label: "Tool use", share: 0.5, rule: "It calls tools" }],
  tools: [],
  tool_count: 3,
  models: [],
  suggested_name: "support-assistant",
  suggested_objective: "Answer better.",
};
const SCAN: ScanState = {
  location: "/a.jsonl",
  name: "a.jsonl",
  status: "ready",
  format: "otlp",
  read: 1204,
  models: ["m1", "m2"],
  lost: 0,
  is_searched_whole: true,
  is_refreshing: false,
  fresh: 0,
  problem: null,
};
const NO_FILE: FileState = {
  status: "empty",
  upload: null,
  share: null,
  doing: "",
  problem: null,
  piece_bytes: 4,
  max_bytes: 9,
};
const NO_PATTERN = { is_at_work: false, pattern: null };
const PAGE: TracePage = {
  rows: [0, 1, 2].map((number) => ({
    number,
    id: `t${number}`,
    started_at: null,
    model: "m1",
    preview: `Question ${number}`,
    turns: 2,
    tools: 1,
    has_response: true,
  })),
  picked: [1],
  matching: 240,
  total: 1204,
  picked_matching: 1,
  picked_total: 7,
};

let unmount = () => {};

const FILE = { location: "/a.jsonl", name: "a.jsonl", kind: "file", size: 5, modified_at: null };

async function show(
  traits: Record<string, unknown> = {},
  places: readonly object[] = [FILE],
): Promise<FakeModel> {
  const model = new FakeModel({
    scan: SCAN,
    file: NO_FILE,
    traces_pattern: NO_PATTERN,
    file_pattern: NO_PATTERN,
    revision: 0,
    jobs: [],
    ...traits,
  });
  const el = document.body.appendChild(document.createElement("div"));
  const Shown = () => (
    <Router>
      <AppHost>
        <CreatePageWidget />
      </AppHost>
    </Router>
  );
  await act(async () => {
    unmount = mount(new Map([["shown", Shown]]), "shown", { model, el });
  });
  await act(async () => {
    if (model.calls("sources").length === 0) return;
    model.answer("sources", {
      places,
      any_path: false,
      unavailable: [],
    });
    if (traits.scan !== null) model.answer("list_traces", PAGE);
  });
  return model;
}

beforeAll(() => {
  Object.defineProperty(HTMLElement.prototype, "clientHeight", { value: 300, configurable: true });
});
beforeEach(() => sessionStorage.clear());
afterEach(() => {
  act(() => unmount());
  cleanup();
  document.body.replaceChildren();
});

describe("traces", () => {
  it("are listed with their counts and the selection", async () => {
    const model = await show();
    expect(screen.getByText("Matching 240 of 1,204 total")).toBeDefined();
    expect(screen.getByText("Selected: 7 traces")).toBeDefined();
    expect(screen.getByText("6 hidden by the filters")).toBeDefined();
    const all = screen.getByLabelText<HTMLInputElement>("Select All (240)");
    expect([all.checked, all.indeterminate]).toEqual([false, true]);
    const boxes = screen.getAllByRole<HTMLInputElement>("checkbox", { name: /Question/ });
    expect(boxes.map((box) => box.checked)).toEqual([false, true, false]);
    fireEvent.click(boxes[0] as HTMLElement);
    expect(model.calls("pick_traces").map(({ params }) => params)).toEqual([
      { numbers: [0], on: true },
    ]);
    expect(boxes[0]?.checked).toBe(true);
  });

  it("are selected as the filter says, all of them", async () => {
    const model = await show();
    fireEvent.change(screen.getByLabelText("Model"), { target: { value: "m2" } });
    fireEvent.click(screen.getByLabelText("Select All (240)"));
    const asked = model.calls("pick_matching")[0]?.params as { query: object; on: boolean };
    expect(asked.on).toBe(true);
    expect(asked.query).toMatchObject({ model: "m2", min_turns: 1, has_response: true });
  });

  it("offer all models, whatever the filter", async () => {
    await show();
    const select = screen.getByLabelText<HTMLSelectElement>("Model");
    expect([...select.options].map(({ text }) => text)).toEqual(["All models", "m1", "m2"]);
  });

  it("of a service are read only when somebody chooses it", async () => {
    const location = "https://api.example.com/v1#A_KEY";
    const api = { ...FILE, location, name: "Stored completions of mine", kind: "api", size: null };
    const model = await show({ scan: null }, [api]);
    expect(model.calls("open_source")).toHaveLength(0);
    expect(screen.getByText("No traces were found on this machine")).toBeDefined();
    fireEvent.change(screen.getByLabelText("Traces from"), { target: { value: location } });
    expect(model.calls("open_source").map(({ params }) => params)).toEqual([
      { location, name: "Stored completions of mine" },
    ]);
  });

  it("that are new are announced and shown on demand", async () => {
    const model = await show({ scan: { ...SCAN, fresh: 12 } });
    fireEvent.click(screen.getByRole("button", { name: "Show 12 new traces" }));
    expect(model.calls("refresh_traces")).toHaveLength(1);
  });

  it("that cannot be read say why, and can be tried again", async () => {
    const problem = { code: "unknown_format", message: "It holds no traces.", hint: "Look." };
    const model = await show({ scan: { ...SCAN, status: "failed", problem } });
    expect(screen.getByRole("alert").textContent).toContain("It holds no traces.");
    fireEvent.click(screen.getByRole("button", { name: "Retry" }));
    expect(model.calls("refresh_traces")).toHaveLength(1);
  });

  it("begin with the first source that was found", async () => {
    const model = await show({ scan: null });
    expect(model.calls("open_source")[0]?.params).toEqual({
      location: "/a.jsonl",
      name: "a.jsonl",
    });
  });
});

describe("the form", () => {
  const button = () => screen.getByRole("button", { name: /Create Dataset/ });

  it("creates of the selection, with what was typed or else suggested", async () => {
    const model = await show({ traces_pattern: { is_at_work: false, pattern: PATTERN } });
    expect(screen.getByText("Support Assistant")).toBeDefined();
    fireEvent.change(screen.getByLabelText("Dataset Name *"), { target: { value: " Mine " } });
    await act(async () =>
      model.set("traces_pattern", {
        is_at_work: false,
        pattern: { ...PATTERN, suggested_name: "another", suggested_objective: "Newer." },
      }),
    );
    expect(screen.getByLabelText<HTMLInputElement>("Dataset Name *").value).toBe(" Mine ");
    await act(async () => fireEvent.click(button()));
    expect(model.calls("create")[0]?.params).toMatchObject({
      of: "traces",
      name: "Mine",
      objective: "Newer.",
      query: { has_response: true },
    });
  });

  it("waits for name and objective", async () => {
    await show();
    expect(button().hasAttribute("disabled")).toBe(true);
    expect(screen.getByText("Fill in name and objective.")).toBeDefined();
  });

  it("expands a long prompt", async () => {
    await show({ traces_pattern: { is_at_work: false, pattern: PATTERN } });
    const expand = screen.getByRole("button", { name: "Expand" });
    fireEvent.click(expand);
    expect(screen.getByRole("button", { name: "Collapse" }).getAttribute("aria-expanded")).toBe(
      "true",
    );
  });
});

describe("the file", () => {
  const upload = { id: "u1", name: "b.jsonl", size: 10, received: 4 };

  it("that was cut off is told, and goes on with the same file", async () => {
    const model = await show({ file: { ...NO_FILE, status: "sending", upload } });
    expect(screen.getByText(/4 bytes of b.jsonl arrived/)).toBeDefined();
    const input = screen.getByLabelText(/Drop your file here/);
    const file = new File(["0123456789"], "b.jsonl");
    await act(async () => fireEvent.change(input, { target: { files: [file] } }));
    expect(model.calls("resume_upload")[0]?.params).toEqual({ upload: "u1" });
    expect(model.calls("begin_upload")).toHaveLength(0);
  });

  it("of before a reload is taken up again", async () => {
    sessionStorage.setItem("rft-upload", "u1");
    const model = await show();
    expect(model.calls("resume_upload")[0]?.params).toEqual({ upload: "u1" });
    await act(async () => model.answer("resume_upload", { ...upload, received: 10 }));
    expect(model.calls("check_upload")[0]?.params).toEqual({ upload: "u1" });
    const tab = screen.getByRole("tab", { name: "Upload File" });
    expect(tab.getAttribute("aria-selected")).toBe("true");
  });
});
