import { fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Interval, PairedDifference, TrustCard } from "../../contract.gen";
import { takeDown } from "../../host/testing";
import { CardView } from "./CardView";

afterEach(takeDown);

const XSS = "<img src=x onerror=alert(1)>";

const about = (estimate: number, low: number | null = null, high = low): Interval => ({
  ...{ estimate, low, high, level: 0.95, n: 40, clusters: 40, method: "bayesian" },
});

const CHANGE: PairedDifference = {
  ...{ before_mean: 0.7, after_mean: 0.9, difference: about(0.2, 0.1, 0.3), relative: null },
  ...{ p_value: 0.01, verdict: "improved", n: 40, clusters: 40 },
};

const CARD: TrustCard = {
  level: "care",
  sentence: "On 40 labelled answers it agrees with people.",
  findings: [{ tone: "bad", sentence: `It orders answers otherwise. ${XSS}` }],
  ...{ grader: `judge ${XSS}`, version: 2, hash: "h", labels: 40, clusters: 12 },
  labellers: [{ labeller: XSS, labels: 40 }],
  ...{ scale: "pass_fail", steps: ["Fail", "Pass"], threshold: 0.5 },
  passed: {
    agreement: about(0.9, 0.8, 0.95),
    kappa: about(-0.1, -0.3, 0.2),
    base_rate: about(0.7, 0.5, 0.8),
    constant_baseline: about(0.7, 0.5, 0.8),
    gain: about(0.2, 0.1, 0.3),
    recall: [null, about(1, 0.9, 1)],
    ...{ constant_label: 1, n: 40, clusters: 12 },
  },
  ...{ weighted_kappa: null, rank_correlation: about(0.4), ordering: null, constant_score: null },
  more_labels: 30,
  cells: [
    { grader: 1, human: 0, count: 4, record_ids: ["a", "b", "c", "d"] },
    { grader: 1, human: 1, count: 36, record_ids: ["e"] },
  ],
  disagreements: [
    {
      ...{ record_id: "a", prompt: "Why?", response: XSS, score: 0.9, reasoning: "So it is" },
      human: 0,
      labels: [{ labeller: "ada", words: "Fail", note: "made up" }],
    },
  ],
  ...{ raters: [], fit: null, consistency: null, order_swap: null },
  against: {
    ...{ version: 1, agreement: about(0.7), kappa: about(0.2), change: CHANGE },
    sentence: "Beside version 1 on the same 40 labels, +20%.",
  },
  ...{ unscored: 2, first_error: "no key", stale: 1, disputed: 3 },
};

function shown(card: TrustCard = CARD) {
  const onRecords = vi.fn();
  const { container } = render(<CardView card={card} onRecords={onRecords} />);
  return { container, onRecords };
}

describe("trust card", () => {
  it("says every figure in words, and text as text", () => {
    const { container } = shown();
    expect(container.querySelector("img")).toBeNull();
    expect(screen.getByText("Usable, with care")).toBeTruthy();
    const rows = within(screen.getByRole("table", { name: "Figures of the trust card" }))
      .getAllByRole("row")
      .slice(1)
      .map((row) => [...row.children].slice(0, 3).map((cell) => cell.textContent));
    expect(rows).toEqual([
      ["Agreementalways saying “passed” gives 70%", "90%", "80% to 95%"],
      ["Cohen’s kappa0 is chance", "-0.10", "[-0.30, 0.20]"],
      ["Rank correlation0 is chance", "0.40", "unknown"],
      ["Of what people pass, it passes", "100%", "90% to 100%"],
      ["People pass", "70%", "50% to 80%"],
    ]);
    expect(container.textContent).toContain(
      "from 12 conversations, 2 failed gradings left out (no key), 1 record edited since, 3 answers on which people are divided. Passed from 0.5.",
    );
  });

  it("opens the records of a cell, and those of a disagreement", () => {
    const { onRecords } = shown();
    fireEvent.click(
      screen.getByRole("button", { name: /the grader says Pass and people say Fail/ }),
    );
    expect(onRecords).toHaveBeenCalledWith(["a", "b", "c", "d"], "Grader: Pass, people: Fail");
    fireEvent.click(screen.getByText("grader 0.90, people 0.00"));
    expect(screen.getByText("ada: Fail – made up")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Open the record" }));
    expect(onRecords).toHaveBeenLastCalledWith(["a"], "Judged differently");
  });
});
