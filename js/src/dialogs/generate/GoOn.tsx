// Work that stopped before its end can go on, where it was, perhaps for more money.
import { useState } from "react";
import type {
  BatchView,
  GenerateDialogCalls,
  GenerateDialogTraits,
  JobState,
} from "../../contract.gen";
import { widgetHooks } from "../../host/bridge";
import type { Job } from "../../host/jobs";
import { useAction } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { CapField } from "../../ui/CapField";
import { count } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";

const { useRpc } = widgetHooks<GenerateDialogTraits, GenerateDialogCalls>();

interface Props {
  readonly view: BatchView;
  readonly job: Job;
  onBegun(job: JobState): void;
}

export function GoOn({ view: { state }, job, onBegun }: Props) {
  const rpc = useRpc();
  const [max_cost_usd, setCap] = useState<number | null>(null);
  const go = useAction(async () =>
    onBegun(await rpc.call("regenerate", { batch: state.id, candidates: [], max_cost_usd })),
  );
  const ended = job.state;
  const isCutOff = ended !== null && (ended.status === "cancelled" || ended.status === "failed");
  if (!isCutOff || ended.id !== state.job_id) return null;
  return (
    <div className="rft-generate-go-on">
      <p className="rft-note">
        {`It stopped with ${count(state.good)} of ${count(state.plan.total)} records. Going on pays for nothing twice.`}
      </p>
      {ended.problem?.code === "budget_reached" && (
        <CapField value={max_cost_usd} onChange={setCap} />
      )}
      <Button isBusy={go.isBusy} onClick={() => void go.run()}>
        Go On Generating
      </Button>
      {go.problem && <ProblemNote problem={go.problem} />}
    </div>
  );
}
