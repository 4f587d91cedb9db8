// Comparing the checkpoints of a run: begun here, done as a job, kept with the run.
import { Scale } from "lucide-react";
import { useState } from "react";
import type { TrainingDialogCalls, TrainingDialogTraits } from "../../contract.gen";
import { widgetHooks } from "../../host/bridge";
import { useJob, useJobEnd } from "../../host/jobs";
import { type Action, useAction, useLoaded } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { CapField } from "../../ui/CapField";
import { JobProgress } from "../../ui/JobProgress";
import { ProblemNote } from "../../ui/ProblemNote";
import { Comparison } from "./Comparison";
import { useUnfolded } from "./useUnfolded";

const { useRpc } = widgetHooks<TrainingDialogTraits, TrainingDialogCalls>();

const KIND = "compare_checkpoints";

interface Props {
  readonly job: string;
  /** The checkpoint that is served now. */
  readonly served: number | null;
  /** Whether answering or grading may cost money. */
  readonly costs: boolean;
  readonly choose: Action<[step: number | null]>;
}

export function ComparisonOf({ job, served, costs, choose }: Props) {
  const rpc = useRpc();
  const work = useJob(KIND, job);
  const [cap, setCap] = useState<number | null>(null);
  const kept = useLoaded((signal) => rpc.call("comparison", { job }, signal), { revision: 0 });
  useJobEnd((ended) => ended.kind === KIND && ended.subject === job && kept.reload());
  const start = useAction(() => rpc.call("compare_checkpoints", { job, max_cost_usd: cap }));
  const fold = useUnfolded(work.isRunning);
  const found = kept.value;
  return (
    <details ref={fold} className="rft-training-more">
      <summary>Compare checkpoints</summary>
      <div className="rft-training-comparison">
        <p className="rft-note">
          Every checkpoint answers the validation prompts, and your grader of now judges them in
          pairs. The intervals hold for all of them together, so that the best may be picked by
          looking.
        </p>
        {start.problem && <ProblemNote problem={start.problem} />}
        {kept.problem && <ProblemNote problem={kept.problem} onRetry={kept.reload} />}
        <JobProgress job={work} onRetry={() => void start.run()} />
        {!work.isRunning && (
          <div className="rft-training-choices">
            {costs && <CapField value={cap} onChange={setCap} />}
            <Button
              icon={<Scale size={14} aria-hidden />}
              isBusy={start.isBusy}
              onClick={() => void start.run()}
            >
              {found ? "Compare Again" : "Compare Now"}
            </Button>
          </div>
        )}
        {found && <Comparison comparison={found} served={served} choose={choose} />}
      </div>
    </details>
  );
}
