// What the page and the editor's module know of each other; it holds no code of the editor.

export type CodeLanguage = "python" | "json" | "text";

export interface Completion {
  readonly label: string;
  /** What it stands for, in a few words. */
  readonly detail?: string;
}

export interface CodeProblem {
  readonly message: string;
  /** From 1; nothing where the place is not known. */
  readonly line?: number | null;
  /** From 1. */
  readonly column?: number | null;
  readonly severity?: "error" | "warning";
}

export interface EditorOptions {
  readonly language: CodeLanguage;
  readonly completions: readonly Completion[];
  readonly label: string;
  /** Id of the element that says how to leave the editor. */
  readonly hint: string;
  readonly isReadOnly: boolean;
  readonly isDark: boolean;
  readonly isInvalid: boolean;
}

export interface EditorHandle {
  setOptions(options: EditorOptions): void;
  /** Take a text that came from outside; nobody is told. */
  setValue(value: string): void;
  setProblems(problems: readonly CodeProblem[]): void;
  goTo(problem: CodeProblem): void;
  /** What Escape does: close what is offered, else let the next Tab leave. */
  leave(): void;
  close(): void;
}

export interface EditorModule {
  openEditor(
    parent: HTMLElement,
    doc: string,
    options: EditorOptions,
    onTyped: (value: string) => void,
  ): EditorHandle;
}
