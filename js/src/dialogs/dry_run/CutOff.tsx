// A dry run that was stopped or killed: what was graded is kept, and the rest can be graded.
import { useState } from "react";
import type { CutOffRun } from "../../contract.gen";
import type { Action } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { CapField } from "../../ui/CapField";
import { counted } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { ago, exact } from "../../ui/time";

interface Props {
  readonly run: CutOffRun;
  /** For at most as many dollars as are given. */
  readonly resume: Action<[number | null]>;
}

export function CutOff({ run, resume }: Props) {
  const { n, k, seed, model } = run.config;
  const [cap, setCap] = useState<number | null>(null);
  return (
    <section className="rft-dry-note" aria-label="Run that was cut off">
      <p>
        <strong>A dry run was cut off.</strong>{" "}
        <span title={exact(run.started_at)}>{`It began ${ago(run.started_at)}`}</span>
        {` (n ${n}, k ${k}, seed ${seed}${model && `, answers of ${model}`}); ${counted(run.graded, "graded answer")} kept. `}
        {run.obstacle && `It cannot be resumed here: ${run.obstacle}`}
      </p>
      {!run.obstacle && model && <CapField value={cap} onChange={setCap} />}
      {!run.obstacle && (
        <Button isBusy={resume.isBusy} onClick={() => void resume.run(cap)}>
          Resume
        </Button>
      )}
      {resume.problem && <ProblemNote problem={resume.problem} />}
    </section>
  );
}
