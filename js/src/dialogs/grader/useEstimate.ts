// What a test of the draft would take, before anything is spent.
import type { GraderDialogCalls, WorkEstimate } from "../../contract.gen";
import { useLoaded } from "../../host/loaded";
import type { Rpc } from "../../host/rpc";
import { useSettled } from "../../ui/useSettled";
import type { Given } from "./useCheck";

const PAUSE_MS = 700;

/** Nothing while no model is asked, or it is not known where. */
export function useEstimate(
  rpc: Rpc<GraderDialogCalls>,
  given: Given | null,
  revision: number,
): WorkEstimate | null {
  const asked = useSettled(given?.connection ? JSON.stringify(given) : "", PAUSE_MS).value;
  const found = useLoaded(
    (signal) =>
      asked === "" || !given ? Promise.resolve(null) : rpc.call("estimate", given, signal),
    { revision, subject: asked },
  );
  return found.value;
}
