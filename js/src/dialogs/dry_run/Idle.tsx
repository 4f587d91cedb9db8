// Before a dry run: what it is asked for, and a run that was cut off.
import { Play } from "lucide-react";
import {
  DIALOG_TITLES,
  type DryRunDialogCalls,
  type DryRunDialogTraits,
  type DryRunView,
  type ModelChoice,
} from "../../contract.gen";
import { widgetHooks } from "../../host/bridge";
import type { Job } from "../../host/jobs";
import { type Action, type Loaded, useLoaded } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { DialogFrame } from "../../ui/DialogFrame";
import { JobProgress } from "../../ui/JobProgress";
import { ProblemNote } from "../../ui/ProblemNote";
import { CutOff } from "./CutOff";
import { type Options, paramsOf, Setup } from "./Setup";

const { useRpc } = widgetHooks<DryRunDialogTraits, DryRunDialogCalls>();

interface Props {
  readonly view: DryRunView;
  readonly job: Job;
  readonly models: Loaded<readonly ModelChoice[]>;
  readonly options: Options;
  readonly revision: number;
  readonly start: Action<[]>;
  readonly resume: Action<[number | null]>;
  onOptions(options: Options): void;
  /** Back to the results, where there are some. */
  readonly onCancel?: () => void;
}

export function Idle({ view, job, models, options, revision, start, resume, ...on }: Props) {
  const rpc = useRpc();
  const { max_cost_usd: _, ...asked } = paramsOf(options);
  const needsModel = options.answers === "model" && options.model === null;
  const estimate = useLoaded((signal) => rpc.call("plan", asked, signal), {
    revision,
    subject: JSON.stringify(asked),
  });
  const nothing = estimate.value?.answers === 0;
  const isBlocked = needsModel || nothing || Boolean(estimate.value?.not_ready);
  return (
    <DialogFrame
      title={DIALOG_TITLES["dry-run"]}
      footer={
        <>
          {on.onCancel && (
            <Button className="rft-left" look="ghost" onClick={on.onCancel}>
              Back to the results
            </Button>
          )}
          <Button
            look="main"
            icon={<Play size={14} aria-hidden />}
            isBusy={start.isBusy}
            disabled={isBlocked}
            onClick={() => void start.run()}
          >
            Start Dry Run
          </Button>
        </>
      }
    >
      {start.problem && <ProblemNote problem={start.problem} />}
      {job.state?.status === "failed" && <JobProgress job={job} />}
      {view.cut_off && <CutOff run={view.cut_off} resume={resume} />}
      <Setup
        options={options}
        grader={view.grader}
        models={models}
        estimate={estimate.value}
        problem={estimate.problem}
        onChange={on.onOptions}
        onRetry={estimate.reload}
      />
      {needsModel && (
        <p className="rft-note" role="status">
          Choose the model that answers.
        </p>
      )}
      {nothing && !needsModel && (
        <p className="rft-dry-warning" role="alert">
          {options.answers === "model"
            ? "There is no valid record to answer."
            : "There is no recorded answer to grade. Import records with answers, or let a model answer."}
        </p>
      )}
    </DialogFrame>
  );
}
