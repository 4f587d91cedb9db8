// The editor's module: fetched from the kernel's bundle when a page first shows an editor.
import { useCallback, useEffect, useState } from "react";
import type { BundleCalls, Problem } from "../contract.gen";
import type { EditorModule } from "../ui/code/types";
import { useHost } from "./bridge";
import { asProblem } from "./loaded";
import type { Model } from "./model";
import { openRpc } from "./rpc";

let present: EditorModule | null = null; // one a page: this file belongs to one build
const coming = new Map<string, Promise<EditorModule>>(); // by bundle: a kernel may never answer

/** Use a module that is there already, as tests do, or fetch it again. */
export function provideEditor(module: EditorModule | null): void {
  present = module;
  coming.clear();
}

async function fetchEditor(model: Model, id: string): Promise<EditorModule> {
  const bundle = await model.widget_manager?.get_model(id);
  if (!bundle) throw new Error("The kernel of this view is gone.");
  const life = new AbortController();
  try {
    const code = await openRpc<BundleCalls>(bundle, life.signal).call("get_editor", {});
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    return await import(url).finally(() => URL.revokeObjectURL(url));
  } finally {
    life.abort();
  }
}

async function loadEditor(model: Model): Promise<EditorModule> {
  if (present) return present;
  const id = String(model.get("_bundle")).replace(/^IPY_MODEL_/, "");
  const asked = coming.get(id) ?? fetchEditor(model, id);
  coming.set(id, asked);
  try {
    present = await asked;
    return present;
  } catch (error) {
    coming.delete(id); // the next try may have more luck
    throw error;
  }
}

/** The module, or why it is not there. */
export function useEditorModule(): {
  readonly module: EditorModule | null;
  readonly problem: Problem | null;
  retry(): void;
} {
  const { model } = useHost();
  const [module, setModule] = useState(present);
  const [problem, setProblem] = useState<Problem | null>(null);
  const load = useCallback(() => {
    setProblem(null);
    loadEditor(model).then(
      (found) => setModule(found),
      (error) => setProblem(asProblem(error)),
    );
  }, [model]);
  useEffect(() => {
    if (!module) load();
  }, [module, load]);
  return { module, problem, retry: load };
}
