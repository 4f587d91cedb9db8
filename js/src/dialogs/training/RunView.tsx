// One run: while it is at work, where it stopped, or what came of it.
import { type ReactNode, useState } from "react";
import type { TrainerInfo, TrainingConfig, TrainingRunView } from "../../contract.gen";
import type { Action, Loaded } from "../../host/loaded";
import { Badge } from "../../ui/Badge";
import { Confirm } from "../../ui/Confirm";
import { DialogFrame } from "../../ui/DialogFrame";
import { count } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { ago, exact } from "../../ui/time";
import { Checkpoints } from "./Checkpoints";
import { Commands } from "./Commands";
import { ComparisonOf } from "./ComparisonOf";
import { Curves } from "./Curves";
import { MoreCurves } from "./MoreCurves";
import { baseModel, isAtWork, standing } from "./outcome";
import { Result } from "./Result";
import { RolloutsOf } from "./RolloutsOf";
import { RunCard } from "./RunCard";
import { RunLog } from "./RunLog";
import { RunProgress } from "./RunProgress";

interface Props {
  readonly title: string;
  /** What trains; nothing where this version does not have it. */
  readonly trainer: TrainerInfo | null;
  readonly loaded: Loaded<TrainingRunView>;
  readonly command: Action<[name: "pause" | "resume" | "cancel"]>;
  readonly again: Action<[config: TrainingConfig]>;
  readonly choose: Action<[step: number | null]>;
  /** The history of runs. */
  readonly children: ReactNode;
  onNew(): void;
  onDeploy(): void;
}

export function RunView(props: Props) {
  const { title, trainer, loaded, command, again, choose, onNew, onDeploy } = props;
  const [isCancelling, setCancelling] = useState(false);
  const view = loaded.value;
  if (!view) {
    return (
      <DialogFrame title={title}>
        {loaded.problem ? (
          <ProblemNote problem={loaded.problem} onRetry={loaded.reload} />
        ) : (
          <Skeleton lines={8} />
        )}
        {props.children}
      </DialogFrame>
    );
  }
  const { run, config, report } = view;
  const { words, tone } = standing(run);
  const time = run.finished_at ?? run.created_at;
  const records = `${count(view.train_records)} records to learn from, ${count(view.valid_records)} to measure on`;
  const who = [trainer?.title ?? run.trainer, baseModel(run)].filter((one) => one !== "");
  const canPause = trainer?.capabilities.pauses ?? false;
  const curves = (
    <>
      <Curves curve={view.curve} report={report} />
      <MoreCurves curve={view.curve} />
    </>
  );
  return (
    <DialogFrame
      title={title}
      subtitle={
        <>
          {`${who.join(" · ")} · ${records} · ${run.finished_at ? "ended" : "started"} `}
          <span title={exact(time)}>{ago(time)}</span>
        </>
      }
      aside={<Badge tone={tone}>{words}</Badge>}
      footer={
        <Commands
          view={view}
          command={command}
          again={again}
          canPause={canPause}
          onNew={onNew}
          onDeploy={onDeploy}
          onCancel={() => setCancelling(true)}
        />
      }
    >
      {loaded.problem && <ProblemNote problem={loaded.problem} onRetry={loaded.reload} />}
      {command.problem && <ProblemNote problem={command.problem} />}
      {again.problem && <ProblemNote problem={again.problem} />}
      {run.was_killed && (
        <p className="rft-training-warning rft-tone-warn">
          {`Nobody works on this run: the process that trained has ended, or its job was stopped. ${resumeWords(trainer)}`}
        </p>
      )}
      {run.status === "failed" && (
        <ProblemNote
          problem={{ code: "failed", message: view.error ?? "Training failed.", hint: null }}
          onRetry={() => void again.run(config)}
        />
      )}
      {report ? (
        <Result report={report}>{curves}</Result>
      ) : (
        <>
          <RunProgress view={view} />
          {curves}
        </>
      )}
      <Checkpoints view={view} choose={choose} />
      {report && view.checkpoints.length > 0 && (
        <ComparisonOf
          job={run.id}
          served={view.served_step}
          costs={view.cost_micro_usd !== 0}
          choose={choose}
        />
      )}
      <RolloutsOf job={run.id} steps={view.rollout_steps} trainer={trainer} />
      {isAtWork(run) ? null : <RunCard job={run.id} />}
      <RunLog lines={view.log} total={view.log_lines} isOpen={isAtWork(run) || !report} />
      {props.children}
      {isCancelling && (
        <Confirm
          title="Cancel this run?"
          action="Cancel Training"
          isDangerous
          onConfirm={() => {
            setCancelling(false);
            void command.run("cancel");
          }}
          onCancel={() => setCancelling(false)}
        >
          {`It ends for good, without a model.${canPause ? " To go on later, pause it instead." : ""}`}
        </Confirm>
      )}
    </DialogFrame>
  );
}

const resumeWords = (trainer: TrainerInfo | null): string =>
  trainer?.capabilities.survives_restart
    ? "Resume goes on from the last saved state."
    : "Resume begins again what was not saved.";
