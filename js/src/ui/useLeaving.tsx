// Asks before something is done that would lose unsaved changes.
import { type ReactNode, useCallback, useEffect, useState } from "react";
import { useCloseGuard } from "../host/navigation";
import { Confirm } from "./Confirm";

interface Leaving {
  readonly verb: string;
  readonly go: () => void;
}

interface Asking {
  /** Do it at once, or after the answer. */
  ask(verb: string, go: () => void): void;
  readonly question: ReactNode;
}

/**
 * Closing the dialog asks by itself, and `ask` for anything else that would lose what was changed
 * in `what`, such as "the grader". Show `question`.
 */
export function useLeaving(
  isDirty: boolean,
  what: string,
  discard?: () => void,
  leaveVerb = "Close",
): Asking {
  const [leaving, setLeaving] = useState<Leaving | null>(null);
  const guard = useCallback((go: () => void) => setLeaving({ verb: leaveVerb, go }), [leaveVerb]);
  useEffect(() => {
    if (!isDirty) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [isDirty]);
  useCloseGuard(isDirty ? guard : null);
  return {
    ask: (verb, go) => (isDirty ? setLeaving({ verb, go }) : go()),
    question: leaving && (
      <Confirm
        title="Unsaved changes"
        action={`${leaving.verb} Without Saving`}
        isDangerous
        onCancel={() => setLeaving(null)}
        onConfirm={() => {
          setLeaving(null);
          discard?.();
          leaving.go();
        }}
      >
        {`What was changed in ${what} has not been saved.`}
      </Confirm>
    ),
  };
}
