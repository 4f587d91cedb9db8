import type { TrainingProgress, TrainingRunView } from "../../contract.gen";
import { count, counted, percent } from "../../ui/numbers";
import { bounds, reward } from "../../ui/rewards";
import { Stat, Stats } from "../../ui/Stat";
import { money } from "../../ui/spending";
import { duration } from "../../ui/time";
import { isAtWork } from "./outcome";

interface Props {
  readonly view: TrainingRunView;
}

const PHASES: Readonly<Record<TrainingProgress["phase"], string>> = {
  preparing: "Preparing",
  grading: "Grading",
  training: "Training",
  evaluating: "Measuring",
  done: "Done",
};

/** Where a run is: phase, step, rewards so far, and what is left. */
export function RunProgress({ view }: Props) {
  const { run, progress, curve, config, requested } = view;
  const share = progress?.share ?? 0;
  const train = curve.findLast((point) => point.train_reward !== null);
  const valid = curve.findLast((point) => point.valid !== null)?.valid ?? null;
  const epochs = config.hyperparameters.n_epochs ?? run.n_epochs;
  const isWorking = isAtWork(run) && !run.was_killed;
  const doing =
    requested === "pause" ? "Pausing..." : requested === "cancel" ? "Cancelling..." : "";
  return (
    <section aria-label="Progress" className="rft-training-progress">
      <div className="rft-training-doing">
        <span role="status">
          {doing || progress?.message || "Starting..."}
          {!doing && progress && <small>{PHASES[progress.phase]}</small>}
        </span>
        <strong>{percent(share)}</strong>
      </div>
      <progress className="rft-job-bar" max={1} value={share} aria-label="Training" />
      <Stats>
        <Stat
          label="Epoch"
          value={`${(progress?.epoch ?? 0).toFixed(1)} of ${epochs}`}
          note={
            progress?.steps
              ? `step ${count(progress.step)} of ${count(progress.steps)}`
              : "preparing"
          }
        />
        <Stat
          label="Train reward"
          value={reward(train?.train_reward ?? null)}
          note="sampled answers"
        />
        <Stat
          label="Validation reward"
          value={reward(valid?.estimate ?? null)}
          note={valid ? bounds(valid) : "greedy answers"}
        />
        <Stat
          label="Time left"
          value={!isWorking ? "–" : view.eta_s === null ? "Not known yet" : duration(view.eta_s)}
          note={progress?.elapsed_s ? `${duration(progress.elapsed_s)} so far` : null}
        />
        <Stat
          label="Cost so far"
          value={money(view.cost_micro_usd)}
          note={`${counted(progress?.gradings ?? 0, "grading")} here`}
        />
      </Stats>
    </section>
  );
}
