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
import { OUTCOME_TONES, OUTCOME_WORDS } from "../training/outcome";

interface Props {
  readonly models: readonly TrainedModel[];
  readonly model: TrainedModel;
  readonly measured: Job;
  readonly measure: Action<[job: string]>;
  onModel(job: string): void;
}

export function ModelChoice({ models, model, measured, measure, onModel }: Props) {
  const { change, against_recorded: against, benchmark } = model;
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
        <p className="rft-note">
          <Badge tone={OUTCOME_TONES[model.outcome]}>{OUTCOME_WORDS[model.outcome]}</Badge>{" "}
          {model.kept_reference
            ? "The reference is served: training found nothing clearly better."
            : `The checkpoint of step ${model.served_step} is served.`}
        </p>
      </div>
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
      <p className="rft-note">
        {`As training measured it on ${counted(change?.n ?? 0, "validation prompt")}; brackets are 95 % intervals.`}
      </p>
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
            Both models on the validation split, by the grader of now.
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

export function milliseconds(seconds: number | null): string {
  if (seconds === null) return "–";
  return seconds < 10
    ? `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`
    : `${seconds.toFixed(1)} s`;
}
