// Candidates wait for a decision: what the buttons do, and how the rest stands.
import { useMemo, useState } from "react";
import {
  type AcceptOutcome,
  type BatchView,
  DIALOG_TITLES,
  type GenerateDialogCalls,
  type GenerateDialogTraits,
  type JobState,
} from "../../contract.gen";
import { widgetHooks } from "../../host/bridge";
import type { Job } from "../../host/jobs";
import { useAction } from "../../host/loaded";
import { useSelection } from "../../host/navigation";
import { Button } from "../../ui/Button";
import { CapField } from "../../ui/CapField";
import { Confirm } from "../../ui/Confirm";
import { DialogFrame } from "../../ui/DialogFrame";
import { JobProgress } from "../../ui/JobProgress";
import { count, counted } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { useLeaving } from "../../ui/useLeaving";
import { GoOn } from "./GoOn";
import { Review } from "./review/Review";
import { ReviewStats } from "./review/ReviewStats";
import { Ticks } from "./review/ticks";

const { useRpc } = widgetHooks<GenerateDialogTraits, GenerateDialogCalls>();

interface Props {
  readonly view: BatchView;
  readonly job: Job;
  onAccepted(outcome: AcceptOutcome): void;
  /** Work began that asks for others. */
  onBegun(job: JobState): void;
  /** Something was decided: the batch stands differently. */
  onDecided(): void;
}

export function Reviewing({ view, job, onAccepted, onBegun, onDecided }: Props) {
  const rpc = useRpc();
  const hasSelection = useSelection() !== null;
  const { state, groups } = view;
  const batch = state.id;
  const [changed, setChanged] = useState<ReadonlySet<number>>(new Set());
  const [asking, setAsking] = useState<"discard" | "regenerate" | null>(null);
  const [max_cost_usd, setCap] = useState<number | null>(null);
  const ticks = useMemo(() => new Ticks(groups, changed), [groups, changed]);
  const [ticked, unticked] = [ticks.all(true), ticks.all(false)];
  const accept = useAction(async () => {
    onAccepted(await rpc.call("accept", { batch, candidates: ticked }));
    onDecided();
  });
  const discard = useAction(async () => {
    await rpc.call("discard", { batch, candidates: [...ticked, ...unticked] });
    onDecided();
  });
  const regenerate = useAction(async () =>
    onBegun(await rpc.call("regenerate", { batch, candidates: unticked, max_cost_usd })),
  );
  const isBusy = accept.isBusy || discard.isBusy || regenerate.isBusy;
  const problem = accept.problem ?? discard.problem ?? regenerate.problem;
  const { question } = useLeaving(ticks.changed.size > 0, "the choice of candidates");
  return (
    <DialogFrame
      title={DIALOG_TITLES.generate}
      subtitle={`Review what ${state.model} wrote: ticked candidates become records.`}
      footer={
        <>
          <Button
            look="ghost"
            className="rft-left"
            disabled={isBusy}
            onClick={() => setAsking("discard")}
          >
            Discard All
          </Button>
          <Button
            isBusy={regenerate.isBusy}
            disabled={isBusy || unticked.length === 0}
            onClick={() => setAsking("regenerate")}
          >
            {`Regenerate ${count(unticked.length)} Unticked`}
          </Button>
          <Button
            look="main"
            isBusy={accept.isBusy}
            disabled={isBusy || ticked.length === 0}
            onClick={() => void accept.run()}
          >
            {`Accept ${count(ticked.length)}`}
          </Button>
        </>
      }
    >
      {problem && <ProblemNote problem={problem} />}
      {job.state?.status === "failed" && <JobProgress job={job} />}
      {hasSelection && (
        <p className="rft-note" role="status">
          These wait for a decision first; the selected records come after them.
        </p>
      )}
      <GoOn view={view} job={job} onBegun={onBegun} />
      <ReviewStats view={view} ticked={ticked.length} unticked={unticked.length} />
      <Review
        view={view}
        ticks={ticks}
        onTicks={(next) => setChanged(next.changed)}
        lines={(candidates, signal) => rpc.call("lines", { batch, candidates }, signal)}
        candidate={(candidate, signal) => rpc.call("candidate", { batch, candidate }, signal)}
      />
      {question}
      {asking === "regenerate" && (
        <Confirm
          title={`Ask ${state.model} for ${count(unticked.length)} others?`}
          action={`Regenerate ${count(unticked.length)}`}
          onCancel={() => setAsking(null)}
          onConfirm={() => {
            setAsking(null);
            void regenerate.run();
          }}
        >
          <CapField value={max_cost_usd} onChange={setCap} />
        </Confirm>
      )}
      {asking === "discard" && (
        <Confirm
          title="Discard all candidates?"
          action={`Discard ${count(state.open)}`}
          isDangerous
          onCancel={() => setAsking(null)}
          onConfirm={() => {
            setAsking(null);
            setChanged(new Set());
            void discard.run();
          }}
        >
          {`${counted(state.open, "candidate")} will be gone from here; none becomes a record.`}
        </Confirm>
      )}
    </DialogFrame>
  );
}
