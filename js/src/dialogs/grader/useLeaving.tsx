// Asks before something is done that would lose unsaved changes.
import { type ReactNode, useCallback, useState } from "react";
import { useCloseGuard } from "../../host/navigation";
import { Confirm } from "../../ui/Confirm";

interface Leaving {
  readonly verb: string;
  readonly go: () => void;
}

interface Asking {
  /** Do it at once, or after the answer. */
  ask(verb: string, go: () => void): void;
  readonly question: ReactNode;
}

/** Closing the dialog asks by itself. */
export function useLeaving(isDirty: boolean, discard: () => void): Asking {
  const [leaving, setLeaving] = useState<Leaving | null>(null);
  const guard = useCallback((go: () => void) => setLeaving({ verb: "Close", go }), []);
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
          discard();
          leaving.go();
        }}
      >
        What was changed in the grader has not been saved.
      </Confirm>
    ),
  };
}
