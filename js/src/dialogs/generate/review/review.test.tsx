import { act, fireEvent, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { type FakeModel, takeDown } from "../../../host/testing";
import { batchOf, CANDIDATE, show } from "../testing";
import { itemsOf, Ticks } from "./ticks";
import { HEIGHTS, Places } from "./window";

afterEach(takeDown);

const button = (name: string | RegExp) => screen.getByRole("button", { name });
const grid = () => screen.getByRole("grid", { name: "Candidates" });
const press = (key: string) => act(async () => void fireEvent.keyDown(grid(), { key }));

async function answerLines(model: FakeModel) {
  const [last] = model.calls("lines").slice(-1);
  if (!last) throw new Error("no text was asked for");
  const { candidates: ids } = last.params as { readonly candidates: readonly number[] };
  await act(async () =>
    model.answer(
      "lines",
      ids.map((id) => ({ id, text: `Text ${id}`, fault_words: id === 2 ? "Too short" : "" })),
    ),
  );
  return ids;
}

describe("ticks", () => {
  const { groups } = batchOf(5, 2);
  it("begin with those that have no fault", () => {
    const ticks = new Ticks(groups);
    expect(ticks.all(true)).toEqual([0, 1, 2]);
    expect(ticks.all(false)).toEqual([3, 4]);
  });
  it("of a topic are all, or none where they were all", () => {
    const [group] = groups;
    if (!group) throw new Error("no group");
    const all = new Ticks(groups).toggleGroup(group);
    expect(all.all(true)).toHaveLength(5);
    expect(all.toggleGroup(group).all(true)).toEqual([]);
  });
  it("of candidates that are gone are forgotten", () => {
    const changed = new Ticks(groups).toggle(1).changed;
    expect(new Ticks(batchOf(1).groups, changed).changed.size).toBe(0);
  });
});

describe("the window", () => {
  const items = itemsOf(batchOf(1000).groups, "all");
  const places = new Places(items);
  it("holds the rows in sight and a few more", () => {
    const { first, last } = places.inSight(29_000, 480);
    expect(places.top(first)).toBeLessThan(29_000);
    expect(places.top(last)).toBeGreaterThan(29_480);
    expect(last - first).toBeLessThan(30);
  });
  it("scrolls no farther than it has to", () => {
    expect(places.showing(3, 0, 480)).toBe(0);
    expect(places.showing(20, 0, 480)).toBe(HEIGHTS.topic + 20 * HEIGHTS.candidate - 480);
  });
});

it("1,000 candidates are read in blocks, and only those in sight are drawn", async () => {
  const { model, el } = await show(batchOf(1000));
  expect(await answerLines(model)).toHaveLength(100);
  expect(el.querySelectorAll(".rft-candidate").length).toBeLessThan(40);
  expect(grid().getAttribute("aria-rowcount")).toBe("1001");
  expect(el.textContent).toContain("Text 0");
});

it("is reviewed by keys, and accepts what is ticked", async () => {
  const { model, el } = await show(batchOf(3, 1));
  await answerLines(model);
  await act(async () => model.answer("candidate", CANDIDATE));
  expect(el.querySelector("img")).toBeNull();
  expect(el.querySelector("ins")?.textContent).toBe("back");
  await press(" ");
  await press("j");
  await press("j");
  await press("x"); // one with a fault, all the same
  expect(model.calls("candidate").at(-1)?.params).toMatchObject({ candidate: 2 });
  await act(async () => fireEvent.click(button("Accept 2")));
  expect(model.calls("accept")[0]?.params).toEqual({ batch: "gen_1", candidates: [1, 2] });
  const accepted = { records: 2, record_ids: ["a", "b"], invalid: 0, without_topic: 0 };
  const outcome = { balance_before: 0.1, records: 66 };
  await act(async () =>
    model.answer("accept", { ...outcome, accepted: { ...accepted, balance_score: 0.31 } }),
  );
  const changed = screen.getByRole("status", { name: "What changed" });
  expect(changed.textContent).toContain("0.10 → 0.31");
  await act(async () => model.answer("open_batch", { view: batchOf(1) }));
  expect(button("Review the Other 1")).toBeTruthy();
});

it("ticks all or none of a topic by its row, and asks again for the others", async () => {
  const { model } = await show(batchOf(3, 1));
  await answerLines(model);
  const topic = screen.getByRole("row", { name: /Returns/ });
  const cell = within(topic).getByLabelText("Tick all of Returns");
  await act(async () => void fireEvent.click(cell));
  expect(button("Accept 3")).toBeTruthy();
  await act(async () => void fireEvent.click(cell));
  expect(button("Accept 0")).toHaveProperty("disabled", true);
  await act(async () => fireEvent.click(button("Regenerate 3 Unticked")));
  expect(model.calls("regenerate")).toHaveLength(0); // it costs money: how much may it be?
  const cap = screen.getByLabelText("Most to spend, in dollars");
  await act(async () => void fireEvent.change(cap, { target: { value: "1.50" } }));
  await act(async () => fireEvent.click(button("Regenerate 3")));
  expect(model.calls("regenerate")[0]?.params).toEqual({
    ...{ batch: "gen_1", candidates: [0, 1, 2], max_cost_usd: 1.5 },
  });
});

it("says why a candidate should not become a record, and what it repeats", async () => {
  const { model, el } = await show(batchOf(3, 1));
  await answerLines(model);
  const repeats = { words: "Candidate 2", text: "The same", candidate: 2 };
  const faulty = { fault: "near_duplicate" as const, fault_words: "Nearly the same", repeats };
  await act(async () => model.answer("candidate", { ...CANDIDATE, ...faulty, similarity: 0.95 }));
  expect(el.textContent).toContain("Nearly the same");
  expect(el.textContent).toContain("95% like");
  await act(async () => fireEvent.click(button("Candidate 2")));
  expect(model.calls("candidate").at(-1)?.params).toMatchObject({ candidate: 2 });
});

it("asks before all are discarded", async () => {
  const { model } = await show(batchOf(3));
  await act(async () => fireEvent.click(button("Discard All")));
  expect(model.calls("discard")).toHaveLength(0);
  await act(async () => fireEvent.click(button("Discard 3")));
  expect(model.calls("discard")[0]?.params).toEqual({ batch: "gen_1", candidates: [0, 1, 2] });
});

it("tells why texts could not be read, and tries again", async () => {
  const { model } = await show(batchOf(3));
  await act(async () =>
    model.refuse("lines", { code: "internal", message: "The store is gone.", hint: null }),
  );
  const note = screen.getByText("The store is gone.").closest("[role=alert]") as HTMLElement;
  await act(async () => fireEvent.click(within(note).getByRole("button", { name: "Retry" })));
  expect(model.calls("lines")).toHaveLength(2);
});
