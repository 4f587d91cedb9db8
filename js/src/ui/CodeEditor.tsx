// A code editor: Python, JSON, or text with template variables.
import { Compartment, EditorState, type Extension, Transaction } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useId, useLayoutEffect, useRef } from "react";
import { LAB_SILENT } from "../host/portal";
import { useTheme } from "../host/theme";
import { type Completion, completing } from "./code/completing";
import { leave, typing } from "./code/keys";
import { type CodeLanguage, languageOf, looks } from "./code/language";
import { type CodeProblem, goTo, markProblems } from "./code/problems";
import { useEscape } from "./useEscape";

export type { CodeLanguage, CodeProblem, Completion };

interface Props {
  readonly value: string;
  /** "text" is a template: what stands in {{ }} is marked. */
  readonly language: CodeLanguage;
  /** What it holds, as its name. */
  readonly label: string;
  /** Names that are offered: within {{ }} in text and JSON, anywhere in Python. */
  readonly completions?: readonly Completion[];
  /** What is wrong, marked where a line is known, and listed beneath. */
  readonly problems?: readonly CodeProblem[];
  readonly readOnly?: boolean;
  /** In pixels. */
  readonly minHeight?: number;
  onChange(value: string): void;
}

const NO_PROBLEMS: readonly CodeProblem[] = [];
const NO_COMPLETIONS: readonly Completion[] = [];

export function CodeEditor(props: Props) {
  const { value, language, label, readOnly = false, minHeight = 96 } = props;
  const { completions = NO_COMPLETIONS, problems = NO_PROBLEMS } = props;
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView | null>(null);
  const emitted = useRef(value);
  const latest = useRef(props.onChange);
  latest.current = props.onChange;
  const isDark = useTheme() !== "lab-light";
  const hint = useId();

  const varying = useRef(new Compartment());
  const options: Extension = [
    languageOf(language),
    completing(language, completions),
    EditorState.readOnly.of(readOnly),
    EditorView.darkTheme.of(isDark),
    EditorView.contentAttributes.of({
      "aria-label": label,
      tabindex: "0", // as it is without: for those who read the page instead of trying it
      "aria-describedby": hint,
      ...(problems.length > 0 ? { "aria-invalid": "true" } : {}),
      ...(readOnly ? { "aria-readonly": "true" } : {}),
    }),
  ];
  const first = useRef(options);

  useLayoutEffect(() => {
    if (!place.current) return;
    const view = new EditorView({
      parent: place.current,
      doc: emitted.current,
      extensions: [
        typing,
        looks,
        varying.current.of(first.current),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          emitted.current = update.state.doc.toString();
          if (!update.transactions.some((one) => one.annotation(Transaction.remote))) {
            latest.current(emitted.current);
          }
        }),
      ],
    });
    editor.current = view;
    return () => {
      view.destroy();
      editor.current = null;
    };
  }, []);

  useEscape(place, () => editor.current && leave(editor.current));

  const isInvalid = problems.length > 0;
  const offered = JSON.stringify(completions);
  // `options` is made of these.
  useEffect(() => {
    editor.current?.dispatch({ effects: varying.current.reconfigure(options) });
  }, [language, label, offered, readOnly, isDark, isInvalid]);

  useLayoutEffect(() => {
    if (editor.current && value !== emitted.current) replace(editor.current, value);
  }, [value]);

  // By what they say: lists may be made anew at every render. Marks move with the text by themselves.
  const marked = JSON.stringify(problems);
  useEffect(() => {
    if (editor.current) markProblems(editor.current, problems);
  }, [marked]);

  return (
    <div className={isInvalid ? "rft-editor rft-editor-wrong" : "rft-editor"} {...LAB_SILENT}>
      <div
        ref={place}
        className="rft-editor-place"
        style={{ "--rft-editor-min": `${minHeight}px` } as React.CSSProperties}
      />
      {isInvalid && (
        <div role="alert">
          <ul className="rft-editor-problems">
            {problems.map((problem) => (
              <li
                className="rft-editor-problem"
                key={`${problem.line}:${problem.column}:${problem.message}`}
              >
                {problem.line ? (
                  <button
                    type="button"
                    className="rft-editor-goto"
                    onClick={() => editor.current && goTo(editor.current, problem)}
                  >
                    Line {problem.line}
                  </button>
                ) : null}
                <span>{problem.message}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      <span id={hint} className="rft-editor-hint">
        {readOnly ? "Read only." : "Tab indents; to leave, press Escape, then Tab."}
      </span>
    </div>
  );
}

/** Exchange what differs only, so that the cursor and what is marked stay. */
function replace(view: EditorView, value: string): void {
  const before = view.state.doc.toString();
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
