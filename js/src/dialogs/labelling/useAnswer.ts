// The answer to judge; the one after it is fetched meanwhile.
import { useEffect, useRef, useState } from "react";
import type { LabellingDialogCalls, Problem, ShownAnswer } from "../../contract.gen";
import { asProblem } from "../../host/loaded";
import type { Rpc } from "../../host/rpc";

const KEPT = 4;

export function useAnswer(
  rpc: Rpc<LabellingDialogCalls>,
  id: string | null,
  next: string | null,
): { readonly answer: ShownAnswer | null; readonly problem: Problem | null } {
  const asked = useRef(new Map<string, Promise<ShownAnswer>>());
  const [shown, setShown] = useState<ShownAnswer | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    const fetched = (wanted: string): Promise<ShownAnswer> => {
      const known = asked.current.get(wanted);
      if (known) return known;
      const call = rpc.call("answer", { record_id: wanted });
      asked.current.set(wanted, call);
      call.catch(() => asked.current.delete(wanted));
      for (const old of [...asked.current.keys()].slice(0, -KEPT)) asked.current.delete(old);
      return call;
    };
    let isGone = false;
    setProblem(null);
    if (id !== null) {
      fetched(id).then(
        (found) => {
          if (isGone) return;
          setShown(found);
          if (next !== null) void fetched(next).catch(() => {});
        },
        (error) => !isGone && setProblem(asProblem(error)),
      );
    }
    return () => {
      isGone = true;
    };
  }, [rpc, id, next]);
  return { answer: shown?.record_id === id ? shown : null, problem };
}
