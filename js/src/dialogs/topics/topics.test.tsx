import { act, cleanup, fireEvent, screen, within } from "@testing-library/react";
import axe from "axe-core";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { mount } from "../../host/mount";
import { FakeModel } from "../../host/testing";
import { TopicsDialogWidget } from ".";
import { itemOf, reportOf } from "./testing";

const COMPONENTS = new Map([["dialogs/topics", TopicsDialogWidget]]);
const PATHS = ["A", "A/x", "A/y", "B"] as const;
let unmount = () => {};

beforeAll(() => {
  (globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;
  globalThis.CSS = { escape: (text: string) => text.replace(/["\\]/g, "\\$&") } as typeof CSS;
});
afterEach(() => {
  act(() => unmount());
  cleanup();
  document.body.replaceChildren();
});

async function settle(run: () => void = () => {}): Promise<void> {
  await act(async () => run());
}

async function show(report = reportOf(...PATHS), traits: Record<string, unknown> = {}) {
  const model = new FakeModel({ name: "Support", revision: 0, jobs: [], node: null, ...traits });
  const el = document.body.appendChild(document.createElement("div"));
  await settle(() => {
    unmount = mount(COMPONENTS, "dialogs/topics", { model, el });
  });
  await settle(() => model.answer("load", report));
  const change = async (next = report) => {
    await settle(() => model.set("revision", Number(model.get("revision")) + 1));
    await settle(() => model.answer("load", next));
  };
  return { model, el, change };
}

function row(name: string): HTMLElement {
  const found = screen.getByText(name, { selector: ".rft-topic-name" }).closest("[role=treeitem]");
  if (!(found instanceof HTMLElement)) throw new Error(`there is no row ${name}`);
  return found;
}
const press = (key: string, more: object = {}) =>
  settle(() => {
    fireEvent.keyDown(document.activeElement ?? document.body, { key, ...more });
  });
const last = (model: FakeModel, method: string) => model.calls(method).at(-1)?.params;

describe("the tree", () => {
  it("has counts, shares and low confidence, and says them", async () => {
    const { el } = await show();
    expect(row("A").textContent).toBe("A2 low4 records50%");
    expect(row("x").getAttribute("aria-level")).toBe("2");
    expect(row("B").getAttribute("aria-posinset")).toBe("2");
    expect(el.textContent).toContain("Uncategorized1 fit no topic420%");
    const { violations } = await axe.run(el, { rules: { region: { enabled: false } } });
    expect(violations.map((one) => one.id)).toEqual([]);
  });

  it("is walked by arrows, folded, and left at its ends", async () => {
    await show();
    await settle(() => row("A").focus());
    await press("ArrowDown");
    await press("ArrowDown");
    expect(document.activeElement).toBe(row("y"));
    await press("ArrowLeft");
    expect(document.activeElement).toBe(row("A"));
    await press("ArrowLeft");
    expect(row("A").getAttribute("aria-expanded")).toBe("false");
    expect(screen.queryByText("x")).toBeNull();
    await press("End");
    expect(document.activeElement).toBe(row("B"));
    await press("Home");
    await press("ArrowRight");
    await press("ArrowRight");
    expect(document.activeElement).toBe(row("x"));
    await press("b");
    expect(document.activeElement).toBe(row("B"));
    expect(screen.getAllByRole("treeitem").filter((one) => one.tabIndex === 0)).toHaveLength(1);
  });

  it("renames in place, and gives the focus to the new name", async () => {
    const { model, change } = await show();
    await settle(() => row("x").focus());
    await press("F2");
    const input = screen.getByRole("textbox", { name: "New name of x" });
    expect(document.activeElement).toBe(input);
    fireEvent.change(input, { target: { value: " z " } });
    await press("Enter");
    expect(last(model, "rename_topic")).toEqual({ path: "A/x", name: "z" });
    await settle(() => model.answer("rename_topic", "A/z"));
    await change(reportOf("A", "A/z", "A/y", "B"));
    expect(document.activeElement).toBe(row("z"));
  });

  it("keeps a refused name, with the reason beside it", async () => {
    const { model } = await show();
    await settle(() => row("x").focus());
    await press("F2");
    const input = screen.getByRole("textbox", { name: "New name of x" });
    fireEvent.change(input, { target: { value: "y" } });
    await press("Enter");
    const taken = { code: "invalid_argument", message: "Two topics are named y.", hint: null };
    await settle(() => model.refuse("rename_topic", taken));
    expect(screen.getByRole("alert").textContent).toBe("Two topics are named y.");
    expect((input as HTMLInputElement).value).toBe("y");
    await press("Escape");
    expect(screen.queryByRole("alert")).toBeNull();
    expect(document.activeElement).toBe(row("x"));
  });

  it("loses neither folds nor focus nor a name in progress when topics change elsewhere", async () => {
    const { change, model } = await show(reportOf("A", "A/x", "B", "B/u"));
    await settle(() => row("B").focus());
    await press("ArrowLeft");
    await settle(() => row("x").focus());
    await press("F2");
    const input = screen.getByRole("textbox", { name: "New name of x" });
    fireEvent.change(input, { target: { value: "half writ" } });
    await change(reportOf("A", "A/w", "A/x", "B", "B/u", "C"));
    expect(row("B").getAttribute("aria-expanded")).toBe("false");
    expect(screen.getByRole("textbox", { name: "New name of x" })).toBe(input);
    expect((input as HTMLInputElement).value).toBe("half writ");
    expect(document.activeElement).toBe(input);

    await change(reportOf("A", "A/w", "B", "B/u"));
    const orphan = screen.getByRole("textbox", { name: "Name at A/x" }) as HTMLInputElement;
    expect(orphan.value).toBe("half writ");
    expect(document.activeElement).toBe(orphan);
    await press("Enter");
    const gone = { code: "not_found", message: "There is no topic 'A/x'.", hint: null };
    await settle(() => model.refuse("rename_topic", gone));
    expect(screen.getByRole("alert").textContent).toBe("There is no topic 'A/x'.");
  });

  it("keeps the focus near when its row is taken away", async () => {
    const { change } = await show();
    await settle(() => row("y").focus());
    await change(reportOf("A", "A/x", "B"));
    expect(document.activeElement).toBe(row("A"));
  });

  it("moves by keys among the siblings", async () => {
    const { model } = await show();
    await settle(() => row("y").focus());
    await press("ArrowUp", { altKey: true });
    expect(last(model, "move_topic")).toEqual({ path: "A/y", parent: "A", position: 0 });
  });

  it("asks where records of a deleted topic go", async () => {
    const { model } = await show();
    await settle(() => row("x").focus());
    await press("Delete");
    const form = screen.getByRole("dialog", { name: "Delete “x”" });
    expect(form.textContent).toContain("4 records become unlabeled");
    const input = within(form).getByRole("combobox", { name: "Its records go to" });
    fireEvent.change(input, { target: { value: "b" } });
    const options = within(form).getAllByRole("option");
    expect(options.map((one) => one.getAttribute("aria-selected"))).toEqual(["true", "false"]);
    fireEvent.keyDown(input, { key: "ArrowDown" });
    expect(form.textContent).toContain("4 records go to “B”");
    await settle(() => {
      fireEvent.submit(input);
    });
    expect(last(model, "delete_topic")).toEqual({ path: "A/x", into: "B" });
  });

  it("shows names as text", async () => {
    const evil = "<img src=x onerror=alert(1)>";
    const { el } = await show(reportOf(evil, "constructor", "__proto__"));
    expect(el.querySelector("img")).toBeNull();
    expect(screen.getAllByRole("treeitem")).toHaveLength(3);
    expect(el.textContent).toContain(evil);
  });

  it("can be edited by nobody while records are put under it", async () => {
    await show(reportOf(...PATHS), {
      node: { status: "processing", summary: "Categorizing... 5%" },
    });
    expect(screen.getByText(/Started elsewhere/)).toBeTruthy();
    await settle(() => row("x").focus());
    await press("F2");
    expect(screen.queryByRole("textbox", { name: "New name of x" })).toBeNull();
    for (const name of ["Add Topic", "Regenerate", "Apply to Unlabeled", "Recategorize All"]) {
      expect(screen.getByRole("button", { name }).hasAttribute("disabled")).toBe(true);
    }
  });
});

describe("other topics", () => {
  it("warns with what is at risk, and only then begins", async () => {
    const { model } = await show();
    await settle(() => screen.getByRole("button", { name: "Regenerate" }).click());
    await settle(() => model.answer("at_risk", { labelled: 1_200, by_hand: 3 }));
    const question = screen.getByRole("alertdialog");
    expect(question.textContent).toContain("1,200 records have a topic, 3 of them were confirmed");
    expect(model.calls("regenerate")).toHaveLength(0);
    await settle(() => within(question).getByRole("button", { name: "Regenerate" }).click());
    expect(last(model, "regenerate")).toEqual({
      method: "auto",
      template: null,
      n_topics: null,
      depth: 2,
    });
  });

  it("lists the templates, and no instructions that nobody would follow", async () => {
    const { model } = await show();
    await settle(() =>
      model.answer("templates", [{ name: "coding_help", leaves: 9, topics: ["Bugs", "Style"] }]),
    );
    fireEvent.change(screen.getByLabelText("Method"), { target: { value: "template" } });
    expect(screen.getByRole("option", { name: "Coding help" })).toBeTruthy();
    expect(screen.getByText("9 topics: Bugs, Style")).toBeTruthy();
    expect(screen.getByLabelText("Instructions").hasAttribute("disabled")).toBe(true);
    expect(screen.getByText(/Names from a language model: not configured/)).toBeTruthy();
  });

  it("says why loading failed, and tries again", async () => {
    const model = new FakeModel({ name: "", revision: 0, jobs: [], node: null });
    const el = document.body.appendChild(document.createElement("div"));
    await settle(() => {
      unmount = mount(COMPONENTS, "dialogs/topics", { model, el });
    });
    const gone = { code: "store_unavailable", message: "The disk is full.", hint: null };
    await settle(() => model.refuse("load", gone));
    expect(screen.getByRole("alert").textContent).toContain("The disk is full.");
    await settle(() => screen.getByRole("button", { name: "Retry" }).click());
    await settle(() => model.answer("load", reportOf()));
    expect(screen.getByText("No topics yet")).toBeTruthy();
  });
});

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
