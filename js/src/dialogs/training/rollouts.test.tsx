import { cleanup, fireEvent, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { RolloutPage, TrainingRollout } from "../../contract.gen";
import { Rollouts } from "./Rollouts";
import { RolloutsOf } from "./RolloutsOf";
import { inHost, loaded, MARKUP, trainer } from "./testing";

afterEach(cleanup);

const rollout = (record_id: string, answer: string, reward: number | null): TrainingRollout => ({
  ...{ step: 3, record_id, prompt: `Prompt ${record_id}`, answer, reward },
  ...{ advantage: reward === null ? null : reward - 0.5, completion_tokens: 7 },
});
const PAGE: RolloutPage = {
  step: 3,
  rollouts: [
    rollout("a", "bad", 0.1),
    rollout("b", "failed", null),
    rollout("a", MARKUP, 0.9),
    rollout("b", "middle", 0.5),
  ],
  total: 400,
};

function show(part: Partial<RolloutPage> = {}) {
  const calls = { onStep: vi.fn(), onRecord: vi.fn() };
  const page = loaded<RolloutPage | null>({ ...PAGE, ...part });
  inHost(<Rollouts steps={[1, 3]} step={3} page={page} {...calls} />);
  const items = () => screen.getAllByRole("listitem").map((one) => one.textContent ?? "");
  return { ...calls, items };
}

describe("the answers of a step", () => {
  it("stand with their prompt and reward, those to one prompt together", () => {
    const { items } = show();
    expect(items().map((one) => /Prompt (.)/.exec(one)?.[1])).toEqual(["a", "a", "b", "b"]);
    expect(items()[0]).toContain(MARKUP);
    expect(items()[0]).toContain("Reward 0.90Advantage +0.407 tokens");
    expect(items()[3]).toContain("grading failed");
    expect(document.querySelector("img")).toBeNull();
    expect(screen.getByRole("status").textContent).toBe("The first 4 of 400 answers");
  });

  it("are put in the order of their rewards on request, and lead to their records", () => {
    const { items, onStep, onRecord } = show();
    fireEvent.change(screen.getByLabelText("Order"), { target: { value: "worst" } });
    expect(items()[0]).toContain("failed");
    expect(items()[1]).toContain("bad");
    fireEvent.change(screen.getByLabelText("Step"), { target: { value: "1" } });
    expect(onStep).toHaveBeenCalledWith(1);
    const [first] = screen.getAllByRole("listitem");
    fireEvent.click(within(first as HTMLElement).getByRole("button", { name: "Show record b" }));
    expect(onRecord).toHaveBeenCalledWith("b");
  });

  it("are many: some are shown at first", () => {
    const rollouts = Array.from({ length: 30 }, (_, n) => rollout(`r${n}`, "x", 0.5));
    const { items } = show({ rollouts, total: 30 });
    expect(items()).toHaveLength(8);
    fireEvent.click(screen.getByRole("button", { name: "Show more (22 left)" }));
    expect(items()).toHaveLength(30);
  });

  it.each([
    [trainer({ title: "Hosted" }, { rollouts: false }), /Hosted does not hand out the answers/],
    [trainer(), /None yet/],
  ])("are missing for a reason that is said", (by, words) => {
    inHost(<RolloutsOf job="j" steps={[]} trainer={by} />);
    const fold = screen.getByText("Answers it learned from").closest("details") as HTMLElement;
    (fold as HTMLDetailsElement).open = true;
    fireEvent(fold, new Event("toggle"));
    expect(screen.getByText(words)).toBeTruthy();
  });
});
