import { act, cleanup, fireEvent } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Components, mount } from "./mount";
import { useInOverlay, useNavigation, usePreset } from "./navigation";
import { FakeModel } from "./testing";

function Below() {
  const { open } = useNavigation();
  return (
    <>
      <button type="button" onClick={() => open({ kind: "dialog", name: "dry-run" })}>
        dry run
      </button>
      <button
        type="button"
        onClick={() =>
          open({ kind: "records", preset: { where: { valid: false }, badge: "Invalid" } })
        }
      >
        records
      </button>
      <span data-testid="below">{String(useInOverlay())}</span>
    </>
  );
}

function DryRun() {
  const { open, replace, close } = useNavigation();
  return (
    <p>
      dialog above: {String(useInOverlay())}
      <button type="button" onClick={() => open({ kind: "records", preset: {} })}>
        further
      </button>
      <button type="button" onClick={() => replace({ kind: "records", preset: {} })}>
        instead
      </button>
      <button type="button" onClick={close}>
        done
      </button>
    </p>
  );
}

const Records = () => <p>records: {JSON.stringify(usePreset())}</p>;

const COMPONENTS: Components = new Map([
  ["below", Below],
  ["dialogs/dry_run", DryRun],
  ["records_grid", Records],
]);

function show() {
  const child = new FakeModel({});
  const getModel = vi.fn(async (_id: string) => child);
  const model = Object.assign(new FakeModel({}), { widget_manager: { get_model: getModel } });
  const el = document.body.appendChild(document.createElement("div"));
  let unmount = () => {};
  act(() => {
    unmount = mount(COMPONENTS, "below", { model, el });
  });
  const press = (words: string) =>
    act(async () => {
      const all = [...document.querySelectorAll("button")];
      fireEvent.click(
        all.find((one) => one.textContent === words || one.ariaLabel === words) as Element,
      );
    });
  const answer = (method: string) => act(async () => model.answer(method, "model-of-it"));
  const dialogs = () => [...document.querySelectorAll<HTMLElement>("[role=dialog]")];
  return { model, getModel, press, answer, dialogs, unmount: () => act(() => unmount()) };
}

afterEach(() => {
  cleanup();
  document.body.replaceChildren();
});

describe("what stands above a widget", () => {
  it("is there at once with its name, and filled when the kernel has answered", async () => {
    const { model, getModel, press, answer, dialogs, unmount } = show();
    await press("dry run");
    expect(dialogs()[0]?.textContent).toContain("Dry Run");
    expect(dialogs()[0]?.querySelector("[role=status]")).not.toBeNull();
    expect(model.calls("open_dialog")[0]?.params).toEqual({ dialog: "dry-run" });
    await answer("open_dialog");
    expect(getModel).toHaveBeenCalledWith("model-of-it");
    expect(dialogs()[0]?.textContent).toContain("dialog above: true");
    await press("done");
    expect(dialogs()).toHaveLength(0);
    unmount();
  });

  it("stands in a stack, and keeps the preset of the records", async () => {
    const { press, answer, dialogs, unmount } = show();
    await press("dry run");
    await answer("open_dialog");
    await press("further");
    await answer("open_records");
    expect(dialogs()).toHaveLength(2);
    await act(async () => fireEvent.keyDown(document.activeElement as Element, { key: "Escape" }));
    expect(dialogs()).toHaveLength(1);
    await press("instead");
    await answer("open_records");
    expect(dialogs()).toHaveLength(1);
    expect(dialogs()[0]?.textContent).toContain("records: {}");
    await act(async () => fireEvent.keyDown(document.activeElement as Element, { key: "Escape" }));
    await press("records");
    await answer("open_records");
    expect(dialogs()[0]?.textContent).toContain('{"where":{"valid":false},"badge":"Invalid"}');
    unmount();
  });

  it("says why it cannot be opened, and tries again", async () => {
    const { model, press, answer, dialogs, unmount } = show();
    await press("dry run");
    const gone = { code: "not_found", message: "There is no such dataset.", hint: null };
    await act(async () => model.refuse("open_dialog", gone));
    expect(dialogs()[0]?.querySelector("[role=alert]")?.textContent).toContain("no such dataset");
    await press("Retry");
    await answer("open_dialog");
    expect(dialogs()[0]?.textContent).toContain("dialog above");
    unmount();
  });
});
