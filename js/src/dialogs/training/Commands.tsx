// What can be done with a run as it stands.
import { Pause, Play, Plus, Rocket, RotateCcw, X } from "lucide-react";
import type { TrainingConfig, TrainingRunView } from "../../contract.gen";
import type { Action } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { isAtWork } from "./outcome";

interface Props {
  readonly view: TrainingRunView;
  /** Whether the trainer can pause a run. */
  readonly canPause: boolean;
  readonly command: Action<[name: "pause" | "resume" | "cancel"]>;
  readonly again: Action<[config: TrainingConfig]>;
  onNew(): void;
  onDeploy(): void;
  onCancel(): void;
}

export function Commands(props: Props) {
  const { view, canPause, command, again, onNew, onDeploy, onCancel } = props;
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
        {isWorking && canPause && (
          <Button
            icon={<Pause size={14} aria-hidden />}
            disabled={command.isBusy || requested !== ""}
            onClick={() => void command.run("pause")}
          >
            {requested === "pause" ? "Pausing..." : "Pause"}
          </Button>
        )}
        {canResume && (
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
