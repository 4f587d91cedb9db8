// A code editor: Python, JSON, or text with template variables.
import { useEffect, useId, useLayoutEffect, useRef } from "react";
import { useEditorModule } from "../host/editor_code";
import { LAB_SILENT } from "../host/portal";
import { useTheme } from "../host/theme";
import type {
  CodeLanguage,
  CodeProblem,
  Completion,
  EditorHandle,
  EditorModule,
  EditorOptions,
} from "./code/types";
import { ProblemNote } from "./ProblemNote";
import { Skeleton } from "./Skeleton";
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
const LINE_PX = 22;

export function CodeEditor(props: Props) {
  const { module, problem, retry } = useEditorModule();
  if (module) return <Editor {...props} module={module} />;
  const minHeight = props.minHeight ?? 96;
  return (
    <div className="rft-editor" style={{ minHeight }}>
      {problem ? (
        <ProblemNote
          problem={{ ...problem, message: `The editor could not be loaded. ${problem.message}` }}
          onRetry={retry}
        />
      ) : (
        <Skeleton lines={Math.max(2, Math.floor(minHeight / LINE_PX))} />
      )}
    </div>
  );
}

function Editor(props: Props & { readonly module: EditorModule }) {
  const { value, language, label, readOnly = false, minHeight = 96, module } = props;
  const { completions = NO_COMPLETIONS, problems = NO_PROBLEMS } = props;
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorHandle | null>(null);
  const emitted = useRef(value);
  const latest = useRef(props.onChange);
  latest.current = props.onChange;
  const isDark = useTheme() !== "lab-light";
  const isInvalid = problems.length > 0;
  const hint = useId();
  const options: EditorOptions = {
    ...{ language, completions, label, hint, isReadOnly: readOnly, isDark, isInvalid },
  };
  const first = useRef(options);

  useLayoutEffect(() => {
    if (!place.current) return;
    const opened = module.openEditor(place.current, emitted.current, first.current, (typed) => {
      emitted.current = typed;
      latest.current(typed);
    });
    editor.current = opened;
    return () => {
      opened.close();
      editor.current = null;
    };
  }, [module]);

  useEscape(place, () => editor.current?.leave());

  const offered = JSON.stringify(completions);
  // `options` is made of these.
  useEffect(() => {
    editor.current?.setOptions(options);
  }, [language, label, offered, readOnly, isDark, isInvalid]);

  useLayoutEffect(() => {
    if (value === emitted.current) return;
    emitted.current = value;
    editor.current?.setValue(value);
  }, [value]);

  // By what they say: lists may be made anew at every render. Marks move with the text by themselves.
  const marked = JSON.stringify(problems);
  useEffect(() => {
    editor.current?.setProblems(problems);
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
                    onClick={() => editor.current?.goTo(problem)}
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
