// A model that the kernel opens for a place or a page, as long as that is shown.
import { useCallback, useEffect, useMemo, useState } from "react";
import type { Problem } from "../contract.gen";
import { useHost } from "./bridge";
import { asProblem } from "./loaded";
import type { Model } from "./model";

export interface OpenedModel {
  readonly model: Model | null;
  readonly problem: Problem | null;
  /** Ends when nobody shows the model any more. */
  readonly signal: AbortSignal;
  /** Ask again. */
  retry(): Promise<void>;
}

/** Ask the kernel for a model by what gives its id; another function asks anew. */
export function useOpenedModel(open: () => Promise<string>): OpenedModel {
  const { model: root } = useHost();
  const [model, setModel] = useState<Model | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const life = useMemo(() => new AbortController(), []);
  const retry = useCallback(async () => {
    setProblem(null);
    try {
      const id = await open();
      const found = await root.widget_manager?.get_model(id);
      if (!found) throw new Error("The kernel's view of this is not there.");
      setModel(found);
    } catch (error) {
      setProblem(asProblem(error));
    }
  }, [root, open]);
  useEffect(() => void retry(), [retry]);
  // Later than the cleanup of what is shown, which tells the kernel that nobody looks any more.
  useEffect(() => () => queueMicrotask(() => life.abort()), [life]);
  return { model, problem, signal: life.signal, retry };
}
