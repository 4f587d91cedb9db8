// The connections to models that a dialog may choose among.
import { useEffect } from "react";
import type { ModelChoice } from "../contract.gen";
import { useHost } from "./bridge";
import { type Loaded, useLoaded } from "./loaded";
import type { Rpc } from "./rpc";

interface ModelCalls {
  models: { params: Record<string, never>; result: readonly ModelChoice[] };
}

/** Asked again when somebody comes back to the page, and to any of it while there is none: they are added elsewhere. */
export function useModels(): Loaded<readonly ModelChoice[]> {
  const rpc = useHost().rpc as unknown as Rpc<ModelCalls>;
  const models = useLoaded((signal) => rpc.call("models", {}, signal), { revision: 0 });
  const { reload } = models;
  const event = models.value?.length === 0 ? "focusin" : "focus";
  useEffect(() => {
    window.addEventListener(event, reload);
    return () => window.removeEventListener(event, reload);
  }, [event, reload]);
  return models;
}
