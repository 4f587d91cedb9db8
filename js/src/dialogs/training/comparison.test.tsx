import { cleanup, fireEvent, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import type { CheckpointComparison, CheckpointMeasure, JointDifference } from "../../contract.gen";
import { Comparison } from "./Comparison";
import { action, inHost, MARKUP } from "./testing";

afterEach(cleanup);

const between = (estimate: number, low: number | null, high: number | null) => ({
  ...{ estimate, low, high, level: 0.95, n: 10, clusters: 10, method: "percentile" as const },
});
const joint = (
  estimate: number,
  verdict: JointDifference["verdict"] = "no_clear_change",
): JointDifference => ({
  ...{ before_mean: 0.4, after_mean: 0.4 + estimate, p_value: 0.01, adjusted_p_value: 0.02 },
  ...{ difference: between(estimate, estimate - 0.1, estimate + 0.1), verdict },
  ...{ n: 10, clusters: 10, changed: 5 },
});
const measure = (step: number, part: Partial<CheckpointMeasure> = {}): CheckpointMeasure => ({
  ...{ step, is_served: false, reward: between(0.4, 0.3, 0.5), answers: 10, no_answer: 0 },
  ...{ failed_gradings: 0, empty: 0, refusals: 0, length: between(120, 110, 130) },
  ...{ cost_micro_usd: null, seconds: 0.25, against_reference: null, against_best: null },
  ...{ against_last: null, probes: [] },
  ...part,
});
const FOUND: CheckpointComparison = {
  ...{ job_id: "j", sentence: "Step 20 is better.", suggested_step: 20, notes: ["Few prompts."] },
  checkpoints: [
    measure(0),
    measure(10, {
      against_reference: joint(0.1),
      no_answer: 2,
      probes: [
        { name: "echo", value: 0.5, reference: 0, flagged: true, sentence: "Half are echoes." },
        { name: "length", value: 1, reference: 1, flagged: false, sentence: "No longer." },
      ],
    }),
    measure(20, { against_reference: joint(0.3, "improved"), cost_micro_usd: 1_500 }),
  ],
  topics: [
    { topic: MARKUP, step: 10, difference: joint(0) },
    { topic: null, step: 20, difference: joint(0.3, "improved") },
  ],
  ...{ best_step: 20, last_step: 20, served_step: 10, prompts: 10, seed: 0, level: 0.95 },
  ...{ length_unit: "tokens", left_out: [15], grader_version: 3, grader_hash: "h" },
};

function show(part: Partial<CheckpointComparison> = {}, served: number | null = 10) {
  const choose = action<[number | null]>();
  inHost(<Comparison comparison={{ ...FOUND, ...part }} served={served} choose={choose} />);
  return choose;
}

describe("the comparison of checkpoints", () => {
  it("recommends, and serves what somebody chooses", () => {
    const choose = show();
    expect(screen.getByText("Step 20 is better.")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Serve Step 20" }));
    expect(choose.run).toHaveBeenCalledWith(20);
    cleanup();
    show({}, 20);
    expect(screen.queryByRole("button", { name: "Serve Step 20" })).toBeNull();
  });

  it("shows each beside the model from before, with intervals, price and what is left out", () => {
    show();
    const row = screen.getByRole("row", { name: /^20/ });
    expect(row.textContent).toContain("+0.30[+0.20, +0.40]Improved");
    expect(within(row).getByText("$1.50")).toBeTruthy();
    expect(screen.getByRole("row", { name: /^10 Served/ }).textContent).toContain("2 without");
    expect(screen.getByRole("row", { name: /^0 \(before training\)/ })).toBeTruthy();
    expect(screen.getByText(/version 3 of the grader.*Not compared: steps 15/)).toBeTruthy();
  });

  it("has the signs that call for a look, and the others, on demand", () => {
    show();
    expect(screen.getByText("Signs in the answers (1 to look at)")).toBeTruthy();
    const [first] = screen.getAllByLabelText("Checkpoint");
    fireEvent.change(first as HTMLElement, { target: { value: "10" } });
    expect(screen.getByText("No longer.")).toBeTruthy();
    expect(screen.getByText(/Half are echoes/).textContent).toBe("Look Half are echoes.");
  });

  it("goes topic by topic, as text", () => {
    show();
    const topics = screen.getByRole("region", { name: "Checkpoint by topic" });
    expect(topics.textContent).toContain("(no topic)");
    fireEvent.change(screen.getAllByLabelText("Checkpoint")[1] as HTMLElement, {
      target: { value: "10" },
    });
    expect(topics.textContent).toContain(MARKUP);
    expect(document.querySelector("img")).toBeNull();
  });
});
