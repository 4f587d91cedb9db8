// The languages, and how their words look: in the colours of the page.
import { json } from "@codemirror/lang-json";
import { python } from "@codemirror/lang-python";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { Decoration, EditorView, MatchDecorator, ViewPlugin } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { CodeLanguage } from "./types";

export function languageOf(language: CodeLanguage): Extension {
  if (language === "python") return python();
  return language === "json" ? [json(), templates] : templates;
}

const variable = new MatchDecorator({
  regexp: /\{\{[^{}\n]*\}\}/g,
  decoration: Decoration.mark({ class: "rft-code-variable" }),
});

const templates = ViewPlugin.define(
  (view) => {
    const shown = {
      marks: variable.createDeco(view),
      update: (change: Parameters<typeof variable.updateDeco>[0]) => {
        shown.marks = variable.updateDeco(change, shown.marks);
      },
    };
    return shown;
  },
  { decorations: (plugin) => plugin.marks },
);

const words = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], class: "rft-code-keyword" },
  { tag: [tags.string, tags.special(tags.string)], class: "rft-code-string" },
  { tag: [tags.number, tags.bool, tags.null], class: "rft-code-number" },
  { tag: [tags.comment, tags.lineComment], class: "rft-code-comment" },
  { tag: [tags.propertyName, tags.function(tags.variableName)], class: "rft-code-name" },
  { tag: tags.invalid, class: "rft-code-invalid" },
]);

export const looks: Extension = [syntaxHighlighting(words), EditorView.theme({})];
