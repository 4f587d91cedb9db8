// Which trained model, what training brought, and what it is worth by the grader of now.
import { Gauge } from "lucide-react";
import type { Benchmark, TrainedModel } from "../../contract.gen";
import type { Job } from "../../host/jobs";
import type { Action } from "../../host/loaded";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { ChoiceField } from "../../ui/Field";
import { JobProgress } from "../../ui/JobProgress";
import { counted } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { reward, signed, signedBounds, signedPercent } from "../../ui/rewards";
import { Stat, Stats } from "../../ui/Stat";
import { ago } from "../../ui/time";
import { Changes } from "../training/Changes";
import { baseModel, OUTCOME_TONES, OUTCOME_WORDS } from "../training/outcome";

interface Props {
  readonly models: readonly TrainedModel[];
  readonly model: TrainedModel;
  /** The step whose model is to be served. */
  readonly checkpoint: number;
  readonly measured: Job;
  readonly measure: Action<[job: string]>;
  onModel(job: string): void;
  onCheckpoint(step: number): void;
}

export function ModelChoice(props: Props) {
  const { models, model, checkpoint, measured, measure, onModel, onCheckpoint } = props;
  const { change, against_recorded: against, benchmark } = model;
  const steps = checkpoints(model);
  return (
    <section aria-labelledby="rft-deploy-model" className="rft-deploy-section">
      <h3 id="rft-deploy-model" className="rft-section-title">
        Model
      </h3>
      <div className="rft-deploy-model">
        <ChoiceField
          label="Training run"
          value={model.job}
          options={models.map((one, index) => [
            one.job,
            `Run of ${ago(one.created_at)}: ${OUTCOME_WORDS[one.outcome]}${index === 0 ? " (newest)" : ""}`,
          ])}
          onChange={onModel}
        />
        {steps.length > 1 && (
          <ChoiceField
            label="Checkpoint"
            value={String(checkpoint)}
            options={steps}
            onChange={(step) => onCheckpoint(Number(step))}
          />
        )}
      </div>
      <p className="rft-note">
        <Badge tone={OUTCOME_TONES[model.outcome]}>{OUTCOME_WORDS[model.outcome]}</Badge>{" "}
        {model.kept_reference && checkpoint === model.own_step
          ? "The reference is served: training found nothing clearly better."
          : `The checkpoint of step ${checkpoint} is served.`}
      </p>
      <p className="rft-note">{origin(model)}</p>
      {model.problem && (
        <ProblemNote
          problem={{
            code: "not_ready",
            message: "This model cannot be served from here yet.",
            hint: model.problem,
          }}
        />
      )}
      {change && (
        <Stats>
          <Stat label="Base" value={reward(change.before_mean)} note="before training" />
          <Stat label="Trained" value={reward(change.after_mean)} />
          <Stat
            label={change.verdict === "improved" ? "Improvement" : "Relative change"}
            value={change.relative ? signedPercent(change.relative.estimate) : "–"}
            note={`${signed(change.difference.estimate)} ${signedBounds(change.difference)}`}
          />
          <Stat
            label="Against your answers"
            value={against ? signed(against.difference.estimate) : "–"}
            note={against ? signedBounds(against.difference) : "none recorded"}
          />
        </Stats>
      )}
      {change ? (
        <p className="rft-note">
          {`As training measured step ${model.own_step} on ${counted(change.n, "validation prompt")}; brackets are 95 % intervals.`}
        </p>
      ) : (
        !benchmark && (
          <p className="rft-note">
            Training did not measure it. Measure it now, before it is used.
          </p>
        )
      )}
      {measure.problem && <ProblemNote problem={measure.problem} />}
      {measured.isRunning || measured.state?.status === "failed" ? (
        <JobProgress job={measured} onRetry={() => void measure.run(model.job)} />
      ) : (
        <div className="rft-row">
          <Button
            icon={<Gauge size={14} aria-hidden />}
            isBusy={measure.isBusy}
            onClick={() => void measure.run(model.job)}
          >
            {benchmark ? "Measure Again" : "Measure Now"}
          </Button>
          <span className="rft-note">
            {`Step ${checkpoint} and the model from before on the validation split, by the grader of now.`}
          </span>
        </div>
      )}
      {benchmark && <Measured benchmark={benchmark} />}
    </section>
  );
}

function Measured({ benchmark }: { readonly benchmark: Benchmark }) {
  const { excluded } = benchmark;
  const left = excluded.no_candidate + excluded.failed_grading;
  return (
    <div className="rft-card rft-deploy-measured">
      <strong>{benchmark.sentence}</strong>
      <p className="rft-note">
        {benchmark.checkpoint !== null && `Step ${benchmark.checkpoint}. `}
        {`Time to answer: base ${milliseconds(benchmark.base_latency_s)}, trained ${milliseconds(benchmark.tuned_latency_s)}.`}
        {left > 0 && ` ${counted(left, "prompt")} could not be compared.`}
      </p>
      <details className="rft-training-more">
        <summary>By topic</summary>
        <Changes topics={benchmark.topics} isTitled={false} />
      </details>
    </div>
  );
}

/** The steps that can be served, with what their models earn. */
function checkpoints({ checkpoints, served_step, own_step }: TrainedModel) {
  const rewards = new Map(checkpoints.map((one) => [one.step, one.reward]));
  const steps = [...new Set([...rewards.keys(), served_step, own_step])].sort((a, b) => a - b);
  return steps.map((step): readonly [string, string] => {
    const earned = rewards.get(step);
    const words = earned === null || earned === undefined ? "" : `: reward ${reward(earned)}`;
    const notes = [
      step === served_step && step !== own_step && "chosen",
      step === own_step && "the run's choice",
    ].filter(Boolean);
    return [String(step), `Step ${step}${words}${notes.length ? ` (${notes.join(", ")})` : ""}`];
  });
}

/** Who trained a model, of what, and how it is served. */
function origin(model: TrainedModel): string {
  const base = baseModel(model);
  const trained = `Trainer: ${model.trainer}${base ? `, from ${base}` : ""}.`;
  return model.serving ? `${trained} Serving: ${model.serving}` : trained;
}

export function milliseconds(seconds: number | null): string {
  if (seconds === null) return "–";
  return seconds < 10
    ? `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`
    : `${seconds.toFixed(1)} s`;
}
