import { act, fireEvent, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import type { LabellingView, ShownAnswer, ShownMessage } from "../../contract.gen";
import { FakeModel, showOn, takeDown } from "../../host/testing";
import { LabellingDialogWidget } from ".";

afterEach(takeDown);

const XSS = "<img src=x onerror=alert(1)>";

const VIEW: LabellingView = {
  labellers: [{ labeller: "ada", labels: 3 }],
  fields: ["human_reward"],
  versions: [{ version: 1, name: "exact", in_use: true, asks_model: false }],
  wanted: 50,
  pass_fail: ["Fail", "Pass"],
  five: ["Wrong", "Poor", "Acceptable", "Good", "Excellent"],
};

const said = (tag: string, text: string): ShownMessage => ({
  ...{ tag, role: tag, name: null, calls: [], answers: null, extra: "" },
  parts: [{ kind: "text", text }],
});

const answerOf = (id: string): ShownAnswer => ({
  record_id: id,
  prompt: [said("USR", `Question ${id}`)],
  answer: [said("AST", `${XSS} ${id}`)],
  tools: [],
});

async function shown() {
  const model = new FakeModel({ name: "S", revision: 1, node: null, jobs: [], problem: null });
  const el = await showOn(model, LabellingDialogWidget);
  await act(async () => model.answer("load", VIEW));
  return { model, el };
}

const pane = () => screen.getByRole("region", { name: "Answer to label" });
const key = (name: string) => act(async () => fireEvent.keyDown(pane(), { key: name }));
const press = (name: string | RegExp) =>
  act(async () => fireEvent.click(screen.getByRole("button", { name })));

/** Answer the call for an answer that was made last for this record. */
async function arrives(model: FakeModel, id: string) {
  const call = model
    .calls("answer")
    .findLast((one) => (one.params as { record_id: string }).record_id === id);
  await act(async () =>
    model.receive({ kind: "rft:result", id: call?.id, ok: true, value: answerOf(id) }),
  );
}

async function atWork(ids = ["a", "b", "c"], done = 0) {
  const made = await shown();
  await press("Start Labelling");
  await act(async () => made.model.answer("batch", { done, record_ids: ids }));
  await arrives(made.model, "a");
  await arrives(made.model, "b");
  return made;
}

describe("labelling", () => {
  it("asks for a name and a scale, and says who labelled before", async () => {
    const { model } = await shown();
    await act(async () =>
      fireEvent.change(screen.getByLabelText("Your name"), { target: { value: " ada " } }),
    );
    expect(screen.getByText("3 answers labelled so far")).toBeTruthy();
    await act(async () =>
      fireEvent.change(screen.getByLabelText("Scale"), { target: { value: "five" } }),
    );
    await press("Go On Labelling");
    expect(model.calls("batch")[0]?.params).toEqual({ labeller: "ada", n: 50 });
    await act(async () => model.answer("batch", { done: 3, record_ids: ["a"] }));
    await arrives(model, "a");
    expect(screen.getByRole("status").textContent).toBe("3 of 4 labelled");
    await key("4");
    expect(model.calls("label")[0]?.params).toEqual({
      ...{ record_id: "a", value: 4, labeller: "ada", scale: "five", note: "" },
    });
  });

  it("goes through answers by keys, with a note, a skip and a step back", async () => {
    const { model, el } = await atWork();
    expect(el.querySelector("img")).toBeNull();
    expect(el.textContent).toContain(XSS);
    expect(document.activeElement).toBe(pane());
    await act(async () =>
      fireEvent.change(screen.getByLabelText("Why, if you like"), { target: { value: "right" } }),
    );
    await key("p");
    expect(model.calls("label")[0]?.params).toMatchObject({ value: 1, note: "right" });
    expect(pane().textContent).toContain("Question b");
    await act(async () => model.answer("label", null));
    await key("s");
    await arrives(model, "c");
    await key("f");
    expect(model.calls("label")[1]?.params).toMatchObject({ record_id: "c", value: 0, note: "" });
    expect(screen.getByText("Only skipped answers are left")).toBeTruthy();
    await act(async () => model.answer("label", null));
    await key("u");
    expect(model.calls("unlabel")[0]?.params).toEqual({ record_id: "c", labeller: "me" });
    expect(screen.getByRole("status").textContent).toBe("1 of 3 labelled, 1 skipped");
    await key("u");
    await key("u");
    await arrives(model, "a");
    expect(screen.getByLabelText("Why, if you like")).toHaveProperty("value", "right");
  });

  it("gives nothing before the answer is there, and never twice for a key held down", async () => {
    const { model } = await shown();
    await press("Start Labelling");
    await act(async () => model.answer("batch", { done: 0, record_ids: ["a", "b"] }));
    await key("p");
    expect(model.calls("label")).toHaveLength(0);
    await arrives(model, "a");
    await act(async () => fireEvent.keyDown(pane(), { key: "p", repeat: true }));
    expect(model.calls("label")).toHaveLength(0);
    await act(async () =>
      fireEvent.keyDown(screen.getByLabelText("Why, if you like"), { key: "p" }),
    );
    expect(model.calls("label")).toHaveLength(0);
  });

  it("puts an answer back whose label was refused", async () => {
    const { model } = await atWork();
    await key("p");
    expect(pane().textContent).toContain("Question b");
    await act(async () =>
      model.refuse("label", { code: "store", message: "The store is locked.", hint: null }),
    );
    expect(screen.getByText(/The store is locked/)).toBeTruthy();
    expect(pane().textContent).toContain("Question a");
    expect(screen.getByRole("status").textContent).toBe("0 of 3 labelled");
  });

  it("ends with the way to the card, and asks for no card before", async () => {
    const { model } = await atWork(["a"]);
    await key("p");
    expect(model.calls("card")).toHaveLength(0);
    await press("See the Trust Card");
    expect(model.calls("card")).toHaveLength(1);
  });

  it("takes labels that came with the records", async () => {
    const { model } = await shown();
    await press("Use These");
    expect(model.calls("import_labels")[0]?.params).toEqual({ field: "human_reward" });
  });
});
