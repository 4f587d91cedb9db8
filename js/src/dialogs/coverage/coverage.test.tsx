import { act, fireEvent, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { CoverageReport, PipelineNode, TopicCoverage } from "../../contract.gen";
import { FakeModel, showOn, takeDown } from "../../host/testing";
import { CoverageDialogWidget } from ".";
import { draftOf, sumOf } from "./targets";

afterEach(() => {
  takeDown();
  vi.useRealTimers();
});

const XSS = "<img src=x onerror=alert(1)>";

function topicOf(name: string, more: Partial<TopicCoverage>): TopicCoverage {
  const base = { topic: name, count: 0, percentage: 0, target_percentage: 50, gap: 0 };
  return { ...base, gap_records: 0, status: "ok", ...more };
}

const REPORT: CoverageReport = {
  total_records: 1040,
  categorized_records: 1000,
  uncategorized_records: 40,
  uncategorized_percentage: 3.85,
  topics: [
    topicOf(XSS, { count: 750, percentage: 75, gap: -25, gap_records: -250, status: "over" }),
    topicOf("Returns", { count: 250, percentage: 25, gap: 25, gap_records: 250, status: "under" }),
  ],
  balance_score: 0.3333,
  balance_band: "Poor",
  entropy: 0.81,
  closeness: 0.75,
  near_duplicate_percentage: null,
  recommendations: ["Add 250 records to 'Returns'."],
  timestamp: "2026-02-01T10:00:00Z",
};

const NODE: PipelineNode = {
  ...{ id: 3, name: "Coverage Analysis", category: "DISTRIBUTION", status: "attention" },
  ...{ summary: "", status_label: "", can_retrigger: true, blocked_reason: null, stale: [] },
  progress: null,
};

/** Loads in the order in which they are asked for: counts, then near-duplicates. */
function loads(model: FakeModel) {
  const [counts, near] = model.calls("load");
  const answer = (call: Record<string, unknown> | undefined, value: CoverageReport) =>
    act(async () => model.receive({ kind: "rft:result", id: call?.id, ok: true, value }));
  return { counts: () => answer(counts, REPORT), near: (v: CoverageReport) => answer(near, v) };
}

async function show(traits: object = {}) {
  const model = new FakeModel({ name: "S", revision: 1, node: NODE, problem: null, ...traits });
  const el = await showOn(model, CoverageDialogWidget);
  return { model, el };
}

async function shown() {
  const made = await show();
  await loads(made.model).counts();
  return made;
}

const press = (name: string) => act(async () => fireEvent.click(button(name)));
const button = (name: string) => screen.getByRole("button", { name });

describe("coverage", () => {
  it("shows what is counted while it looks for near-duplicates", async () => {
    const { model, el } = await show();
    expect(screen.getByRole("status", { name: "Loading" })).toBeTruthy();
    expect(model.calls("load").map((call) => call.params)).toEqual([{}, { near_duplicates: true }]);
    await loads(model).counts();
    expect(el.textContent).toContain("Target: > 0.6 for good training");
    expect(el.textContent).toContain("Near-duplicates…");
    expect(el.querySelector("img")).toBeNull();
    const row = screen.getByRole("row", { name: /Returns/ });
    expect([...row.querySelectorAll("td")].map((cell) => cell.textContent)).toEqual([
      ...["250", "25.0%", "50.0%", "+25.0", "+250", "↓ Too few"],
    ]);
    const advice = [...REPORT.recommendations, "12.0% of the records nearly repeat another."];
    await loads(model).near({
      ...REPORT,
      near_duplicate_percentage: 12,
      recommendations: advice,
    });
    expect(el.textContent).toContain("Near-duplicates12%");
    expect(el.textContent).toContain(advice[1]);
  });

  it("says what comes first where there are no topics", async () => {
    const { model } = await show({ node: { ...NODE, blocked_reason: "Configure topics first" } });
    await act(async () => model.answer("load", { ...REPORT, topics: [] }));
    const [first] = model.calls("load");
    await act(async () =>
      model.receive({
        kind: "rft:result",
        ...{ id: first?.id, ok: true, value: { ...REPORT, topics: [] } },
      }),
    );
    expect(screen.getByText("Configure topics first")).toBeTruthy();
    expect(button("Generate to Fill Gaps")).toHaveProperty("disabled", true);
    await press("Open Topics & Category");
    expect(model.calls("open_dialog")[0]?.params).toEqual({ dialog: "topics" });
  });

  it("says what went wrong, and tries again", async () => {
    const { model } = await show();
    const [first] = model.calls("load");
    const error = { code: "store", message: "The store is locked.", hint: null };
    await act(async () => model.receive({ kind: "rft:result", id: first?.id, ok: false, error }));
    expect(screen.getByRole("alert").textContent).toContain("The store is locked.");
    await press("Retry");
    expect(model.calls("load")).toHaveLength(3);
  });

  it.each(["Returns", "Show the 40 records without a topic"])("%s opens records", async (name) => {
    const { model } = await shown();
    await press(name);
    expect(model.calls("open_records")).toHaveLength(1);
  });
});

describe("targets", () => {
  const field = (topic: string) => screen.getByLabelText(`Target of ${topic}, percent`);
  const type = (topic: string, value: string) =>
    act(() => void fireEvent.change(field(topic), { target: { value } }));

  it("shows the sum, sends what was typed, and shows Python's refusal", async () => {
    const { model } = await shown();
    await press("Edit Targets");
    type("Returns", "80");
    const sum = () => screen.getByRole("row", { name: /^Sum/ }).textContent;
    expect(sum()).toContain("130%, must be 100%");
    await press("Save Targets");
    const sent = (percents: readonly number[]) => ({
      targets: [XSS, "Returns"].map((topic, index) => ({ topic, percent: percents[index] })),
    });
    expect(model.calls("set_targets")[0]?.params).toEqual(sent([50, 80]));
    const error = { code: "invalid_argument", message: "The targets sum to 130.", hint: null };
    await act(async () => model.refuse("set_targets", error));
    expect(screen.getByRole("alert").textContent).toContain("sum to 130");
    await press("From Current");
    expect(sum()).toContain("100%");
    await press("Save Targets");
    expect(model.calls("set_targets")[1]?.params).toEqual(sent([75, 25]));
    await act(async () => model.answer("set_targets", null));
    expect(button("Edit Targets")).toBeTruthy();
  });

  it("takes back what was typed, and lets targets follow the traffic", async () => {
    const { model } = await shown();
    await press("Edit Targets");
    type("Returns", "80");
    await press("Reset");
    expect(field("Returns")).toHaveProperty("value", "50");
    await press("the shares of recorded traffic");
    expect(model.calls("follow")[0]?.params).toEqual({ targets: "traffic" });
  });

  it("rounds percentages without missing their sum", () => {
    for (const many of [1, 3, 7, 60, 999]) {
      const targets = Array.from({ length: many }, (_, n) => ({
        topic: `t${n}`,
        percent: 100 / many,
      }));
      const drafted = [...draftOf(targets).values()].map(Number);
      expect(sumOf(drafted)).toBeCloseTo(100, 6);
      expect(Math.max(...drafted) - Math.min(...drafted)).toBeLessThan(0.011);
    }
    expect([...draftOf([{ topic: "a", percent: 0 }]).values()]).toEqual(["0"]);
  });
});

describe("what if", () => {
  it("asks Python what more records would change", async () => {
    vi.useFakeTimers();
    const { model, el } = await shown();
    await press("What if…");
    const added = (n: number) => [
      { topic: XSS, count: 0 },
      { topic: "Returns", count: n },
    ];
    expect(model.calls("what_if")[0]?.params).toEqual({ added: added(250) });
    await act(async () => model.answer("what_if", REPORT));
    const input = screen.getByLabelText("Records to add to Returns");
    act(() => void fireEvent.change(input, { target: { value: "500" } }));
    await act(async () => vi.advanceTimersByTime(300));
    expect(model.calls("what_if").at(-1)?.params).toEqual({ added: added(500) });
    const [first, second] = REPORT.topics as [TopicCoverage, TopicCoverage];
    await act(async () =>
      model.answer("what_if", {
        ...REPORT,
        ...{ balance_score: 1, balance_band: "Good", categorized_records: 1500 },
        topics: [first, { ...second, count: 750 }],
      }),
    );
    const change = el.querySelector(".rft-coverage-change")?.textContent;
    expect(change).toBe("Balance 0.33 Poor → 1.00 Good with 500 more records");
    expect(
      screen.getByRole("img", { name: "Returns: 250 now, 750 then, target 750" }),
    ).toBeTruthy();
    // Another change of the dataset: what was asked is asked again.
    await act(async () => model.set("revision", 2));
    expect(model.calls("what_if")).toHaveLength(3);
  });
});
