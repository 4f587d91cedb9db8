import { fireEvent, screen } from "@testing-library/react";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { takeDown } from "../../host/testing";
import { itemOf, last, press, settle, setUp, show } from "./testing";

beforeAll(setUp);
afterEach(takeDown);

describe("the review queue", () => {
  async function review() {
    const shown = await show();
    await settle(() => screen.getByRole("button", { name: "Review 8 records" }).click());
    await settle(() => shown.model.answer("review", ["a", "b", "c", "d"].map(itemOf)));
    return { ...shown, card: screen.getByRole("region", { name: "Record to review" }) };
  }

  it("takes a key a record, stores in order, and keeps the focus", async () => {
    const { model, card } = await review();
    expect(document.activeElement).toBe(card);
    for (const key of ["a", "4", "3"]) await press(key);
    expect(card.textContent).toContain("What d asks");
    expect(document.activeElement).toBe(card);
    expect(model.calls("confirm")).toHaveLength(1); // the others wait for their turn
    await settle(() => model.answer("confirm", "A/x"));
    await settle(() => model.answer("confirm", "B"));
    expect(model.calls("confirm").map((one) => one.params)).toEqual([
      { record_id: "a", topic: "A/x" },
      { record_id: "b", topic: "B" },
      { record_id: "c", topic: "A/y" },
    ]);
  });

  it("takes a decision back, and what was skipped", async () => {
    const { model, card } = await review();
    await press("1"); // the runner-up
    expect(last(model, "confirm")).toEqual({ record_id: "a", topic: "B" });
    await settle(() => model.answer("confirm", "B"));
    await press("s");
    expect(card.textContent).toContain("What c asks");
    await press("u");
    expect(card.textContent).toContain("What b asks");
    expect(model.calls("undo_confirm")).toHaveLength(0);
    await press("u");
    expect(card.textContent).toContain("What a asks");
    expect(last(model, "undo_confirm")).toEqual({ record_id: "a" });
  });

  it("chooses by typing", async () => {
    const { model, card } = await review();
    await press("/");
    const input = screen.getByRole("combobox", { name: "Another topic" });
    expect(document.activeElement).toBe(input);
    fireEvent.change(input, { target: { value: "y" } });
    await press("Enter");
    expect(last(model, "confirm")).toEqual({ record_id: "a", topic: "A/y" });
    expect(document.activeElement).toBe(card);
    await press("/");
    await press("Escape");
    expect(document.activeElement).toBe(card);
  });

  it("loads more when records were skipped, and reviews those again", async () => {
    const { model, card } = await review();
    const { limit } = last(model, "review") as { limit: number };
    for (const _ of "abcd") await press("s");
    expect(last(model, "review")).toEqual({ order: "confidence", limit: limit + 1 });
    await settle(() => model.answer("review", ["a", "b", "c", "d"].map(itemOf)));
    expect(last(model, "review")).toEqual({ order: "confidence", limit: limit + 4 });
    await settle(() => model.answer("review", ["a", "b", "c", "d"].map(itemOf)));
    await settle(() => screen.getByRole("button", { name: "Review 4 skipped records" }).click());
    expect(card.textContent).toContain("What a asks");
  });

  it("brings a refused decision back, with the reason", async () => {
    const { model, card } = await review();
    await press("a");
    const gone = { code: "invalid_argument", message: "'A/x' is no topic.", hint: null };
    await settle(() => model.refuse("confirm", gone));
    expect(screen.getByRole("alert").textContent).toContain("'A/x' is no topic.");
    expect(card.textContent).toContain("What a asks");
  });
});
