import { act, fireEvent, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import type { FoundTopics } from "../../contract.gen";
import { FakeModel, showOn, takeDown } from "../../host/testing";
import { ImportTopicsDialogWidget } from ".";

const FOUND: FoundTopics = {
  topics: 3,
  leaves: 2,
  depth: 2,
  shown: [
    { name: "Orders", level: 1, description: "", below: 2 },
    { name: "<b>Status</b>", level: 2, description: "", below: 0 },
  ],
  more: 1,
  impact: { replaced: 8, labelled: 400, by_hand: 12, kept: 136, kept_by_hand: 4 },
};

afterEach(takeDown);

const settle = (run: () => void = () => {}): Promise<void> => act(async () => run());

async function show() {
  const model = new FakeModel({ revision: 0, jobs: [], node: null });
  const el = await showOn(model, ImportTopicsDialogWidget);
  const choose = (content: string, name = "topics.json") =>
    settle(() => {
      const input = el.querySelector("input[type=file]");
      if (!input) throw new Error("there is no place for a file");
      fireEvent.change(input, { target: { files: [new File([content], name)] } });
    });
  return { model, el, choose };
}

const importing = () => screen.getByRole("button", { name: /^Import/ }) as HTMLButtonElement;

describe("the import of topics", () => {
  it("shows what is in a file before anything happens, then keeps or clears", async () => {
    const { model, el, choose } = await show();
    expect(importing().disabled).toBe(true);
    await choose("{}");
    await settle(() => model.answer("preview", FOUND));
    expect(el.textContent).toContain("8 topics will be replaced.");
    expect(el.textContent).toContain("and 1 topic more");
    expect(el.textContent).toContain("136 records stay under a topic");
    expect(el.textContent).toContain("264 become unlabeled");
    expect(el.textContent).toContain("<b>Status</b>");
    expect(model.calls("apply")).toHaveLength(0);
    fireEvent.click(screen.getByRole("radio", { name: /Clear assignments/ }));
    await settle(() => importing().click());
    expect(model.calls("apply").at(-1)?.params).toEqual({ assignments: "clear" });
    await settle(() => model.answer("apply", { leaves: 2, kept: 0, lost: 400 }));
    expect(screen.getAllByText(/0 records keep a topic, 400 lost theirs/).length).toBeGreaterThan(
      0,
    );
    expect(importing().disabled).toBe(true); // once
  });

  it("says what is wrong with a file, and takes another", async () => {
    const { model, choose } = await show();
    await choose("{", "bad.json");
    const problem = { code: "import_rejected", message: "Line 1 is no JSON.", hint: null };
    await settle(() => model.refuse("preview", problem));
    expect(screen.getByRole("alert").textContent).toContain(
      "bad.json was not imported. Line 1 is no JSON.",
    );
    expect(importing().disabled).toBe(true);
    await choose("{}");
    await settle(() => model.answer("preview", FOUND));
    expect(screen.queryByRole("alert")).toBeNull();
    expect(importing().textContent).toBe("Import 3 Topics");
  });

  it("sends no file that is too large", async () => {
    const { model, choose } = await show();
    await choose(" ".repeat(2_000_001));
    expect(screen.getByRole("alert").textContent).toContain("has 2,000,001 bytes");
    expect(model.calls("preview")).toHaveLength(0);
  });

  it("follows the dataset while it waits for the decision", async () => {
    const { model, el, choose } = await show();
    await choose("{}");
    await settle(() => model.answer("preview", FOUND));
    await settle(() => model.set("revision", 1));
    const impact = { ...FOUND.impact, kept: 100 };
    await settle(() => model.answer("preview", { ...FOUND, impact }));
    expect(el.textContent).toContain("100 records stay");
  });
});
