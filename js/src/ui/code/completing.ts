// Offers names: in text and JSON those of a template, within {{ }}; in Python anywhere.
import {
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  type CompletionSource,
} from "@codemirror/autocomplete";
import type { Extension } from "@codemirror/state";
import type { CodeLanguage, Completion } from "./types";

export function completing(language: CodeLanguage, completions: readonly Completion[]): Extension {
  if (completions.length === 0) return autocompletion();
  const source = language === "python" ? names(completions) : variables(completions);
  return autocompletion({ override: [source], icons: false });
}

function names(completions: readonly Completion[]): CompletionSource {
  const options = completions.map(({ label, detail = "" }) => ({ label, detail }));
  return (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/[\w.[\]"']+/);
    if (!word && !context.explicit) return null;
    return { from: word?.from ?? context.pos, options, validFor: /^[\w.[\]"']*$/ };
  };
}

function variables(completions: readonly Completion[]): CompletionSource {
  const option = (open: string, close: string) =>
    completions.map(({ label, detail = "" }) => ({
      ...{ label, detail },
      apply: `${open}${label}${close}`,
    }));
  return (context: CompletionContext): CompletionResult | null => {
    const within = context.matchBefore(/\{\{\s*[\w.[\]"']*$/);
    if (!within) {
      return context.explicit ? { from: context.pos, options: option("{{ ", " }}") } : null;
    }
    const typed = /[\w.[\]"']*$/.exec(within.text)?.[0] ?? "";
    const after = context.state.sliceDoc(context.pos, context.pos + 3);
    const isClosed = /^\s?\}/.test(after);
    const isSpaced = /\s$/.test(within.text.slice(0, within.text.length - typed.length));
    return {
      from: context.pos - typed.length,
      options: option(isSpaced ? "" : " ", isClosed ? (after.startsWith(" ") ? "" : " ") : " }}"),
      validFor: /^[\w.[\]"']*$/,
    };
  };
}
