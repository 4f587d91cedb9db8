import { fireEvent, screen, within } from "@testing-library/react";
import axe from "axe-core";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { takeDown } from "../../host/testing";
import { last, PATHS, press, reportOf, row, settle, setUp, show } from "./testing";

beforeAll(setUp);
afterEach(takeDown);

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
      model: null,
      categorize_model: null,
    });
  });

  it("lets a model name topics and decide, by instructions and within a limit", async () => {
    const { model } = await show();
    const writer = { name: "writer", model: "m-1", notice: "", missing: "", works: true };
    await settle(() => model.answer("models", [writer]));
    await settle(() => {
      fireEvent.change(screen.getByLabelText("Names by a model"), { target: { value: "writer" } });
    });
    const takes = {
      ...{ calls: 3, prompt_tokens: 900, completion_tokens: 100, cost_micro_usd: 20_000 },
      ...{ minutes: 1, past_error: null },
    };
    await settle(() =>
      model.answer("estimate", { naming: takes, deciding: { ...takes, calls: 40 } }),
    );
    expect(screen.getByText(/About 40 calls, 1,000 tokens, \$0\.02/)).toBeTruthy();
    const words = screen.getByLabelText("Instructions");
    fireEvent.change(words, { target: { value: " By product. " } });
    fireEvent.change(screen.getByLabelText(/Most to spend/), { target: { value: "1" } });
    const asked = { instructions: "By product.", max_cost_usd: 1 };
    await settle(() => screen.getByRole("button", { name: "Apply to Unlabeled" }).click());
    expect(last(model, "categorize")).toEqual({
      mode: "unlabeled_only",
      model: "writer",
      ...asked,
    });
    await settle(() => model.answer("categorize", null));
    await settle(() => screen.getByRole("button", { name: "Recategorize All" }).click());
    expect(last(model, "estimate")).toEqual({ model: "writer", mode: "recategorize_all" });
    await settle(() =>
      model.answer("estimate", { naming: takes, deciding: { ...takes, calls: 70 } }),
    );
    expect(screen.getByRole("alertdialog").textContent).toContain("About 70 calls");
    await settle(() => screen.getByRole("button", { name: "Cancel" }).click());
    await settle(() => screen.getByLabelText(/It decides about records/).click());
    await settle(() => screen.getByRole("button", { name: "Regenerate" }).click());
    await settle(() => model.answer("at_risk", { labelled: 1, by_hand: 0 }));
    const question = screen.getByRole("alertdialog");
    await settle(() => within(question).getByRole("button", { name: "Regenerate" }).click());
    expect(last(model, "regenerate")).toMatchObject({
      ...{ model: "writer", categorize_model: null },
      ...asked,
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
    expect(screen.queryByLabelText("Instructions")).toBeNull();
  });

  it("says why loading failed, and tries again", async () => {
    const { model } = await show(null);
    const gone = { code: "store_unavailable", message: "The disk is full.", hint: null };
    await settle(() => model.refuse("load", gone));
    expect(screen.getByRole("alert").textContent).toContain("The disk is full.");
    await settle(() => screen.getByRole("button", { name: "Retry" }).click());
    await settle(() => model.answer("load", reportOf()));
    expect(screen.getByText("No topics yet")).toBeTruthy();
  });
});
