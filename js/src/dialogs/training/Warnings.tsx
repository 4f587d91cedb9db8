import { TriangleAlert } from "lucide-react";
import type { DialogName, TrainingReadiness } from "../../contract.gen";
import { Button } from "../../ui/Button";
import { CheckField } from "../../ui/Field";

interface Props {
  readonly readiness: TrainingReadiness;
  readonly isOverridden: boolean;
  onOverride(isOverridden: boolean): void;
  onOpen(name: DialogName): void;
}

/** What speaks against training now; a NO_GO has to be overridden in so many words. */
export function Warnings({ readiness, isOverridden, onOverride, onOpen }: Props) {
  const { no_go, warnings } = readiness;
  if (no_go === null && warnings.length === 0) return null;
  return (
    <div className={`rft-training-warning rft-tone-${no_go === null ? "warn" : "bad"}`}>
      <TriangleAlert size={16} aria-hidden />
      <div>
        {no_go !== null && (
          <>
            <strong>The last dry run says NO_GO.</strong>
            <p>{no_go}</p>
            <CheckField
              label="Train although the dry run says NO_GO: I accept that it may learn nothing, or the wrong thing."
              checked={isOverridden}
              onChange={onOverride}
            />
          </>
        )}
        {warnings.map((words) => (
          <p key={words}>{words}</p>
        ))}
      </div>
      <Button onClick={() => onOpen("dry-run")}>Open Dry Run</Button>
    </div>
  );
}
