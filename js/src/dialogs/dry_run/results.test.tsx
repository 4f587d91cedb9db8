import { act, fireEvent, render, screen, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { Repeats } from "./Repeats";
import { Samples } from "./Samples";
import { Topics } from "./Topics";
import {
  button,
  cleanPage,
  ESTIMATE,
  INTERVAL,
  MEAN,
  mountDialog,
  RUN,
  show,
  VIEW,
  XSS,
} from "./testing";
import { bounds, cost, signed } from "./words";

cleanPage();

describe("results", () => {
  it("say the verdict, failures first, and what to fix first", async () => {
    await show(VIEW);
    const verdict = screen.getByLabelText("Verdict: CAUTION");
    const reasons = within(verdict).getAllByRole("listitem");
    expect(reasons.map((one) => one.textContent)).toEqual(["FailsToo few", "WarningToo flat"]);
    expect(verdict.textContent).toContain("First the grader: Too flat");
    expect(verdict.textContent).toContain("Partial: 43 of 50 answers");
    expect(screen.getByText("[0.41, 0.49] at 95%")).toBeTruthy();
    expect(screen.getByText(/in 38 independent units/)).toBeTruthy();
    expect(screen.getByText("Not in the statistics: 3 failed gradings.")).toBeTruthy();
  });

  it("ask before training with warnings", async () => {
    await show(VIEW);
    act(() => fireEvent.click(button("Proceed to Training")));
    const asked = screen.getByRole("alertdialog");
    expect(
      within(asked)
        .getAllByRole("listitem")
        .map((one) => one.textContent),
    ).toEqual(["Too few", "Too flat"]);
  });

  it("offer no training on NO_GO", async () => {
    await show({ ...VIEW, shown: { ...RUN, report: { ...RUN.report, verdict: "NO_GO" } } });
    expect(screen.queryByRole("button", { name: "Proceed to Training" })).toBeNull();
    expect(button("Adjust Grader")).toBeTruthy();
    expect(button("Review Samples")).toBeTruthy();
  });

  it("of before a change are said to be stale", async () => {
    await show({ ...VIEW, shown: { ...RUN, changes: ["The grader has changed since."] } });
    const stale = screen.getByLabelText("Stale");
    act(() => fireEvent.click(within(stale).getByRole("button", { name: "Re-run" })));
    expect(screen.getByLabelText("Seed")).toHaveProperty("value", "4");
    act(() => fireEvent.click(button("Back to the results")));
    expect(screen.getByLabelText("Stale")).toBeTruthy();
  });

  it("show every check with its value and its bound, and the probes apart", async () => {
    await show(VIEW);
    act(() => fireEvent.mouseDown(screen.getByRole("tab", { name: "Checks & probes" })));
    const checks = within(screen.getByLabelText("Checks")).getAllByRole("row").slice(1);
    expect(checks.map((row) => row.textContent)).toEqual([
      "Standard deviationabout the graderWarning0.05at least 0.10Too flat",
      "Above 0about the dataFails5%at least 50%Too few",
      "Meanabout the dataGood0.450.25 to 0.65Fine",
    ]);
    const probes = within(screen.getByLabelText("Probes of the grader")).getAllByRole("row");
    expect(probes[1]?.textContent).toContain("Empty answer8 gradingsPassed0.00below 0.50");
    expect(probes[2]?.textContent).toContain("Not graded–");
  });

  it("are compared with another finished run", async () => {
    const model = await show(VIEW);
    act(() => fireEvent.mouseDown(screen.getByRole("tab", { name: "Runs (3)" })));
    const chooser = screen.getByLabelText("The shown run with");
    expect(within(chooser).getAllByRole("option")).toHaveLength(2);
    await act(async () => fireEvent.change(chooser, { target: { value: "dry_1" } }));
    expect(model.calls("compare").at(-1)?.params).toEqual({ before: "dry_1", after: "dry_2" });
    const difference = { ...INTERVAL, estimate: -0.05, low: -0.1, high: 0.01 };
    const overall = {
      ...{ before_mean: 0.5, after_mean: 0.45, difference, relative: null },
      ...{ p_value: 0.0001, verdict: "no_clear_change" as const, n: 40, clusters: 38 },
    };
    const topics = [
      { topic: XSS, difference: overall, adjusted_p_value: 0.2, verdict: "no_clear_change" },
    ];
    const counts = { matched: 40, unscored: 1, only_before: 2, only_after: 3 };
    await act(async () => model.answer("compare", { overall, topics, ...counts }));
    const table = screen.getByRole("table", { name: "Difference of the two runs" });
    expect(within(table).getAllByRole("row")[1]?.textContent).toBe(
      "All400.500.45−0.05[−0.10, +0.01]<0.001No clear change",
    );
    await act(async () => fireEvent.click(button(/^Show the run of/)));
    expect(model.calls("load").at(-1)?.params).toEqual({ run: "dry_1" });
  });

  it("may be missing: it says why and asks again", async () => {
    const model = mountDialog();
    expect(screen.getByRole("status", { name: "Loading" })).toBeTruthy();
    await act(async () =>
      model.refuse("load", { code: "x", message: "The store is gone.", hint: null }),
    );
    expect(screen.getByText("The store is gone.")).toBeTruthy();
    await act(async () => fireEvent.click(button("Retry")));
    expect(model.calls("load")).toHaveLength(2);
  });
});

describe("parts", () => {
  it("show samples with their score and reasoning, and failures with their flags, as text", () => {
    const { container } = render(<Samples report={RUN.report} />);
    expect(container.querySelectorAll("article")).toHaveLength(1); // no worst one: the best
    expect(container.textContent).toContain("facts 1.00wording –");
    expect(container.textContent).toContain("Half of it is there");
    fireEvent.click(button(/Without a score/));
    expect(container.textContent).toContain("3 gradings");
    expect(container.textContent).toContain("python_grader_runtime_error");
    expect(container.textContent).toContain(XSS);
    expect(container.querySelector("img")).toBeNull();
  });

  it("open the records of a topic", () => {
    const onRecords = vi.fn();
    render(<Topics scores={RUN.report.topics} topics={RUN.topics} onRecords={onRecords} />);
    fireEvent.click(button(XSS));
    expect(onRecords).toHaveBeenCalledWith(RUN.topics[0]?.opens);
  });

  it("show pass@k beside pass^k", () => {
    const variance = {
      between: null,
      within: 0.0213,
      intraclass_correlation: null,
      prompts: 9,
      scores: 18,
    };
    render(
      <Repeats
        repeats={{
          prompts: 9,
          mixed_share: 0.5,
          unvaried_prompts: 4,
          pass_at: { 1: 0.4, 2: 0.6 },
          pass_hat: { 1: 0.4, 2: 0.2 },
          variance,
        }}
      />,
    );
    expect(screen.getAllByRole("row")[2]?.textContent).toBe("260%20%");
    expect(screen.getByText("unknown / 0.021")).toBeTruthy();
  });

  it("write numbers", () => {
    expect([signed(0.1), signed(-0.25)]).toEqual(["+0.10", "−0.25"]);
    expect(bounds({ ...MEAN, low: null, high: null })).toBe("interval unknown");
    expect(cost(ESTIMATE)).toContain("nothing leaves this machine");
    expect(cost({ ...ESTIMATE, judge_calls: 9, cost_micro_usd: 2_500_000 })).toBe("$2.50");
    expect(cost({ ...ESTIMATE, judge_calls: 9, cost_micro_usd: null })).toBe("Unknown");
  });
});
