// What is wrong with a text, marked at its place.
import { type Diagnostic, setDiagnostics } from "@codemirror/lint";
import type { Text } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";
import type { CodeProblem } from "./types";

export function markProblems(view: EditorView, problems: readonly CodeProblem[]): void {
  const found: Diagnostic[] = [];
  for (const { message, line, column, severity = "error" } of problems) {
    if (line) found.push({ ...placeOf(view.state.doc, line, column), message, severity });
  }
  view.dispatch(setDiagnostics(view.state, found));
}

export function goTo(view: EditorView, { line, column }: CodeProblem): void {
  const { from } = placeOf(view.state.doc, line ?? 1, column);
  view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
  view.focus();
}

/** From the column to the end of the word there; the whole line where no column is known. */
function placeOf(doc: Text, line: number, column: number | null | undefined) {
  const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
  if (!column) return { from: at.from, to: at.to };
  const from = Math.min(at.from + column - 1, at.to);
  const word = /^(?:"(?:[^"\\]|\\.)*"|\{\{.*?\}\}|\w+|\S)/.exec(doc.sliceString(from, at.to));
  return { from, to: Math.min(from + (word?.[0].length ?? 1), at.to) };
}
