import { currentCompletions, startCompletion } from "@codemirror/autocomplete";
import { EditorView } from "@codemirror/view";
import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { HostProvider } from "../host/bridge";
import { provideEditor } from "../host/editor_code";
import { FakeModel } from "../host/testing";
import { CodeEditor, type CodeProblem } from "./CodeEditor";
import * as module from "./code/editor";

afterEach(cleanup);
// jsdom lays nothing out; the editor asks for it nevertheless.
Range.prototype.getClientRects = () => [] as unknown as DOMRectList;

function show(value: string, more: Partial<Parameters<typeof CodeEditor>[0]> = {}) {
  const onChange = vi.fn();
  const all = { value, onChange, language: "text" as const, label: "Prompt", ...more };
  const { signal } = new AbortController();
  const shown = (props: typeof all) => (
    <HostProvider model={new FakeModel()} signal={signal}>
      <CodeEditor {...props} />
    </HostProvider>
  );
  const view = render(shown(all));
  const editor = EditorView.findFromDOM(screen.getByRole("textbox", { name: "Prompt" }));
  if (!editor) throw new Error("there is no editor");
  const again = (next: Partial<typeof all>) => view.rerender(shown({ ...all, ...next }));
  return { onChange, editor, again, view };
}

describe("CodeEditor", () => {
  it("tells what is typed, and takes what comes from outside without telling it", () => {
    const { editor, onChange, again } = show("one two three");
    act(() => editor.dispatch({ changes: { from: 0, insert: "x" } }));
    expect(onChange).toHaveBeenLastCalledWith("xone two three");
    act(() => editor.dispatch({ selection: { anchor: 5 } }));
    again({ value: "xone two four" });
    expect(editor.state.doc.toString()).toBe("xone two four");
    expect(editor.state.selection.main.anchor).toBe(5);
    expect(onChange).toHaveBeenCalledTimes(1);
  });

  it("takes texts that repeat themselves", () => {
    const { editor, again } = show("aaa");
    for (const value of ["aa", "aaaa", "", "aba", "aa"]) {
      again({ value });
      expect(editor.state.doc.toString()).toBe(value);
    }
  });

  it("lists what is wrong, and leads to it", () => {
    const problems: CodeProblem[] = [
      { message: "there is no name 'itm'", line: 2, column: 4 },
      { message: "no model" },
    ];
    const { editor, view } = show("one\nis {{ itm.a }}", { problems });
    expect(screen.getByRole("alert").textContent).toBe("Line 2there is no name 'itm'no model");
    expect(view.container.querySelector(".cm-lintRange-error")?.textContent).toBe("{{ itm.a }}");
    fireEvent.click(screen.getByRole("button", { name: "Line 2" }));
    expect(editor.state.selection.main.anchor).toBe(7);
    expect(screen.getByRole("textbox").getAttribute("aria-invalid")).toBe("true");
  });

  it("marks nothing outside of a text that has become shorter", () => {
    const { view } = show("a", { problems: [{ message: "gone", line: 9, column: 80 }] });
    expect(view.container.textContent).toContain("gone");
  });

  it("offers template variables within braces, and closes them", async () => {
    const completions = [{ label: "item.reference" }, { label: "sample.output_text" }];
    const { editor } = show("Is {{ it", { completions });
    act(() => {
      editor.focus();
      editor.dispatch({ selection: { anchor: 8 } });
      startCompletion(editor);
    });
    await waitFor(() => expect(currentCompletions(editor.state)).toHaveLength(1));
    const [first] = currentCompletions(editor.state);
    expect(first).toMatchObject({ label: "item.reference", apply: "item.reference }}" });
  });

  it("can be read only", () => {
    const { editor } = show("as it is", { readOnly: true });
    expect(editor.state.readOnly).toBe(true);
    expect(screen.getByText("Read only.")).toBeTruthy();
  });

  it("keeps Escape to itself", () => {
    const { editor } = show("text");
    const outside = vi.fn();
    document.addEventListener("keydown", outside, { capture: true });
    editor.focus();
    fireEvent.keyDown(editor.contentDOM, { key: "Escape" });
    expect(outside).not.toHaveBeenCalled();
    editor.contentDOM.blur();
    fireEvent.keyDown(document.body, { key: "Escape" });
    expect(outside).toHaveBeenCalledTimes(1);
    document.removeEventListener("keydown", outside, { capture: true });
  });
});

describe("an editor whose code is not there", () => {
  afterEach(() => provideEditor(module));

  function open() {
    provideEditor(null);
    const bundle = new FakeModel();
    const model = Object.assign(new FakeModel({ _bundle: "IPY_MODEL_b1" }), {
      widget_manager: { get_model: async (id: string) => (id === "b1" ? bundle : new FakeModel()) },
    });
    const one = (label: string) => (
      <CodeEditor value="x = 1" language="python" label={label} onChange={() => {}} />
    );
    render(
      <HostProvider model={model} signal={new AbortController().signal}>
        {one("First")}
        {one("Second")}
      </HostProvider>,
    );
    return bundle;
  }

  it("asks the kernel once for all editors, and says meanwhile that it loads", async () => {
    const bundle = open();
    expect(screen.getAllByRole("status", { name: "Loading" })).toHaveLength(2);
    await waitFor(() => expect(bundle.calls("get_editor")).toHaveLength(1));
  });

  it("says why it cannot be shown, and asks again", async () => {
    const bundle = open();
    await waitFor(() => expect(bundle.calls("get_editor")).toHaveLength(1));
    const lost = { code: "bundle_missing", message: "It was not built.", hint: "Build it." };
    await act(async () => bundle.refuse("get_editor", lost));
    const notes = screen.getAllByRole("alert").map((one) => one.textContent);
    expect(notes).toEqual(
      Array(2).fill(expect.stringContaining("could not be loaded. It was not")),
    );
    fireEvent.click(screen.getAllByRole("button", { name: "Retry" })[0] as HTMLElement);
    await waitFor(() => expect(bundle.calls("get_editor")).toHaveLength(2));
  });
});
