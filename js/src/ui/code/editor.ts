// The code editor itself: a module of its own, which a page fetches when it first shows one.
import { Compartment, EditorState, type Extension, Transaction } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { completing } from "./completing";
import { leave, typing } from "./keys";
import { languageOf, looks } from "./language";
import { goTo, markProblems } from "./problems";
import type { EditorHandle, EditorOptions } from "./types";

/** Put an editor into an element; `onTyped` is told what a person changes. */
export function openEditor(
  parent: HTMLElement,
  doc: string,
  options: EditorOptions,
  onTyped: (value: string) => void,
): EditorHandle {
  const varying = new Compartment();
  const view = new EditorView({
    parent,
    doc,
    extensions: [
      typing,
      looks,
      varying.of(extensionsOf(options)),
      EditorView.updateListener.of((update) => {
        if (!update.docChanged) return;
        if (update.transactions.some((one) => one.annotation(Transaction.remote))) return;
        onTyped(update.state.doc.toString());
      }),
    ],
  });
  return {
    setOptions: (next) => view.dispatch({ effects: varying.reconfigure(extensionsOf(next)) }),
    setValue: (value) => replace(view, value),
    setProblems: (problems) => markProblems(view, problems),
    goTo: (problem) => goTo(view, problem),
    leave: () => leave(view),
    close: () => view.destroy(),
  };
}

function extensionsOf(options: EditorOptions): Extension {
  const { language, completions, label, hint, isReadOnly, isDark, isInvalid } = options;
  return [
    languageOf(language),
    completing(language, completions),
    EditorState.readOnly.of(isReadOnly),
    EditorView.darkTheme.of(isDark),
    EditorView.contentAttributes.of({
      "aria-label": label,
      tabindex: "0", // as it is without: for those who read the page instead of trying it
      "aria-describedby": hint,
      ...(isInvalid ? { "aria-invalid": "true" } : {}),
      ...(isReadOnly ? { "aria-readonly": "true" } : {}),
    }),
  ];
}

/** Exchange what differs only, so that the cursor and what is marked stay. */
function replace(view: EditorView, value: string): void {
  const before = view.state.doc.toString();
  if (value === before) return;
  const shorter = Math.min(before.length, value.length);
  let start = 0;
  while (start < shorter && before[start] === value[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === value.at(-1 - end)) end += 1;
  view.dispatch({
    changes: {
      from: start,
      to: before.length - end,
      insert: value.slice(start, value.length - end),
    },
    annotations: Transaction.remote.of(true),
  });
}
