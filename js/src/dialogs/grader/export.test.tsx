import { act, fireEvent, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { FakeModel, showOn, takeDown } from "../../host/testing";
import { ExportDialog } from "./ExportDialog";

const TARGETS = [
  { name: "openai", title: "OpenAI", entry: "grader.json" },
  { name: "trl", title: "TRL", entry: "reward.py" },
];

afterEach(takeDown);

async function open() {
  const model = new FakeModel();
  const onDone = vi.fn();
  const onClose = vi.fn();
  const given = { grader: "{}", connection: "judge" };
  await showOn(model, () => (
    <ExportDialog targets={TARGETS} given={given} onDone={onDone} onClose={onClose} />
  ));
  const press = () =>
    act(async () => void fireEvent.submit(screen.getByRole("button", { name: "Download ZIP" })));
  return { model, onDone, press };
}

it("takes the grader away for what was chosen", async () => {
  const { model, onDone, press } = await open();
  expect(screen.getByText(/reward\.py grades by itself/)).toBeTruthy();
  fireEvent.change(screen.getByLabelText("For"), { target: { value: "openai" } });
  expect(screen.getByText(/grader\.json is the grader as this service reads it/)).toBeTruthy();
  await press();
  expect(model.calls("export").at(-1)?.params).toEqual({
    target: "openai",
    grader: "{}",
    connection: "judge",
  });
  URL.createObjectURL = () => "blob:x";
  URL.revokeObjectURL = () => undefined;
  const file = { id: "d1", name: "support-grader-openai.zip", size: 0, piece_bytes: 4 };
  await act(async () => model.answer("export", file));
  expect(onDone).toHaveBeenCalledWith("support-grader-openai.zip");
});

it("says why it cannot be written, and stays open", async () => {
  const { model, onDone, press } = await open();
  await press();
  const problem = {
    code: "grader_invalid",
    message: "model: a judge needs the name of a model",
    hint: null,
  };
  await act(async () => model.refuse("export", problem));
  expect(screen.getByText(/a judge needs the name of a model/)).toBeTruthy();
  expect(onDone).not.toHaveBeenCalled();
});
