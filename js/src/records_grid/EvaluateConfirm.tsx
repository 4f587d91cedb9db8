// Before records are graded: what happens to them, and what it takes of models.
import { useState } from "react";
import type { WorkEstimate } from "../contract.gen";
import { useLoaded } from "../host/loaded";
import { CapField } from "../ui/CapField";
import { Confirm } from "../ui/Confirm";
import { ProblemNote } from "../ui/ProblemNote";
import { Skeleton } from "../ui/Skeleton";
import { estimateWords, pastErrorWords } from "../ui/spending";

interface Props {
  /** "3 records" */
  readonly records: string;
  readonly grader: string | null;
  estimate(signal: AbortSignal): Promise<WorkEstimate | null>;
  onConfirm(maxCostUsd: number | null): void;
  onCancel(): void;
}

export function EvaluateConfirm({ records, grader, estimate, onConfirm, onCancel }: Props) {
  const [cap, setCap] = useState<number | null>(null);
  return (
    <Confirm
      title={`Evaluate ${records}?`}
      action="Evaluate"
      onConfirm={() => onConfirm(cap)}
      onCancel={onCancel}
    >
      {grader === null ? (
        "There is no grader yet. Save one in step 4 first."
      ) : (
        <>
          <p>{`The grader ${grader} grades the recorded answers of the valid ones; their scores are replaced.`}</p>
          <Price estimate={estimate} cap={cap} onCap={setCap} />
        </>
      )}
    </Confirm>
  );
}

interface PriceProps extends Pick<Props, "estimate"> {
  readonly cap: number | null;
  onCap(cap: number | null): void;
}

function Price({ estimate, cap, onCap }: PriceProps) {
  const found = useLoaded(estimate, { revision: 0 });
  if (found.problem) return <ProblemNote problem={found.problem} onRetry={found.reload} />;
  if (found.isLoading) return <Skeleton lines={1} />;
  if (found.value === null) return null;
  const past = pastErrorWords(found.value);
  return (
    <>
      <p>{estimateWords(found.value)}</p>
      {past && <p className="rft-note">{past}</p>}
      <CapField value={cap} onChange={onCap} />
    </>
  );
}
