// One run: while it is at work, where it stopped, or what came of it.
import { Pause, Play, Plus, Rocket, RotateCcw, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { TrainingConfig, TrainingRunView } from "../../contract.gen";
import type { Action, Loaded } from "../../host/loaded";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Confirm } from "../../ui/Confirm";
import { DialogFrame } from "../../ui/DialogFrame";
import { count } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { ago, exact } from "../../ui/time";
import { Checkpoints } from "./Checkpoints";
import { Curves } from "./Curves";
import { isAtWork, standing } from "./outcome";
import { Result } from "./Result";
import { RunLog } from "./RunLog";
import { RunProgress } from "./RunProgress";

interface Props {
  readonly title: string;
  /** What trains, by its title. */
  readonly trainer: string;
  readonly loaded: Loaded<TrainingRunView>;
  readonly command: Action<[name: "pause" | "resume" | "cancel"]>;
  readonly again: Action<[config: TrainingConfig]>;
  /** The history of runs. */
  readonly children: ReactNode;
  onNew(): void;
  onDeploy(): void;
}

export function RunView(props: Props) {
  const { title, trainer, loaded, command, again, onNew, onDeploy } = props;
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
  const curves = <Curves curve={view.curve} report={report} />;
  return (
    <DialogFrame
      title={title}
      subtitle={
        <>
          {`${trainer} · ${records} · ${run.finished_at ? "ended" : "started"} `}
          <span title={exact(time)}>{ago(time)}</span>
        </>
      }
      aside={<Badge tone={tone}>{words}</Badge>}
      footer={
        <Commands
          view={view}
          command={command}
          again={again}
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
          Nobody works on this run: the process that trained has ended, or its job was stopped.
          Resume goes on from the last saved state, and ends as if it had never stopped.
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
      {report && <Checkpoints checkpoints={view.checkpoints} served={report.served_step} />}
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
          It ends for good, without a model. To go on later, pause it instead.
        </Confirm>
      )}
    </DialogFrame>
  );
}

interface CommandsProps extends Pick<Props, "command" | "again" | "onNew" | "onDeploy"> {
  readonly view: TrainingRunView;
  onCancel(): void;
}

function Commands({ view, command, again, onNew, onDeploy, onCancel }: CommandsProps) {
  const { run, requested, config } = view;
  const isWorking = isAtWork(run) && !run.was_killed;
  const canResume = run.status === "paused" || run.was_killed;
  if (isWorking || canResume) {
    return (
      <>
        <Button
          look="danger"
          icon={<X size={14} aria-hidden />}
          disabled={command.isBusy || requested === "cancel"}
          onClick={onCancel}
        >
          {requested === "cancel" ? "Cancelling..." : "Cancel"}
        </Button>
        {isWorking ? (
          <Button
            icon={<Pause size={14} aria-hidden />}
            disabled={command.isBusy || requested !== ""}
            onClick={() => void command.run("pause")}
          >
            {requested === "pause" ? "Pausing..." : "Pause"}
          </Button>
        ) : (
          <Button
            look="main"
            icon={<Play size={14} aria-hidden />}
            isBusy={command.isBusy}
            onClick={() => void command.run("resume")}
          >
            Resume
          </Button>
        )}
      </>
    );
  }
  return (
    <>
      {run.status === "failed" && (
        <Button
          icon={<RotateCcw size={14} aria-hidden />}
          isBusy={again.isBusy}
          onClick={() => void again.run(config)}
        >
          Retry
        </Button>
      )}
      <Button icon={<Plus size={14} aria-hidden />} onClick={onNew}>
        Train Again
      </Button>
      {run.status === "completed" && (
        <Button look="main" icon={<Rocket size={14} aria-hidden />} onClick={onDeploy}>
          Deploy
        </Button>
      )}
    </>
  );
}
