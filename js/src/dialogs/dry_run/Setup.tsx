// What a dry run is asked for, and what it would take.
import { type ReactNode, useId } from "react";
import type { DryRunEstimate, Problem } from "../../contract.gen";
import { SETTINGS } from "../../contract.gen";
import { CheckField, NumberField } from "../../ui/Field";
import { count, counted } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { duration } from "../../ui/time";
import { cost, excludedWords } from "./words";

export interface Options {
  readonly n: number;
  readonly k: number;
  readonly seed: number;
  readonly probes: boolean;
}

const { prompts, responses, most_prompts, most_responses } = SETTINGS.dry_run;

export const DEFAULTS: Options = { n: prompts, k: responses, seed: 0, probes: true };

const MOST_SEED = 2 ** 31 - 1;

interface Props {
  readonly options: Options;
  readonly grader: string;
  readonly estimate: DryRunEstimate | null;
  readonly problem: Problem | null;
  onChange(options: Options): void;
  onRetry(): void;
}

export function Setup({ options, grader, estimate, problem, onChange, onRetry }: Props) {
  const set = (some: Partial<Options>) => onChange({ ...options, ...some });
  return (
    <div className="rft-dry-setup">
      <div className="rft-dry-form">
        <p className="rft-note">
          Grades a sample of the answers before any training, and says whether training could learn
          from them.
        </p>
        <div className="rft-dry-numbers">
          <NumberField
            label="Prompts (n)"
            value={options.n}
            min={1}
            max={most_prompts}
            hint="In proportion to the topics"
            onChange={(n) => set({ n })}
          />
          <NumberField
            label="Answers per prompt (k)"
            value={options.k}
            min={1}
            max={most_responses}
            hint="4 or 8 show what can be learned"
            onChange={(k) => set({ k })}
          />
          <NumberField
            label="Seed"
            value={options.seed}
            min={0}
            max={MOST_SEED}
            hint="The same seed, the same sample"
            onChange={(seed) => set({ seed })}
          />
        </div>
        <Answerers />
        <CheckField
          label="Probe the grader with answers that deserve nothing"
          checked={options.probes}
          onChange={(probes) => set({ probes })}
        />
      </div>
      <section className="rft-card rft-dry-estimate" aria-label="What it takes">
        <h3 className="rft-section-title">What it takes</h3>
        {problem && <ProblemNote problem={problem} onRetry={onRetry} />}
        {!problem && !estimate && <Skeleton lines={6} />}
        {!problem && estimate && <Estimate estimate={estimate} grader={grader} />}
      </section>
    </div>
  );
}

function Answerers() {
  const name = useId();
  return (
    <fieldset className="rft-dry-answerers">
      <legend>What answers</legend>
      <label className="rft-check">
        <input type="radio" name={name} checked readOnly />
        <span>
          Recorded outputs
          <small>The answers that the records came with</small>
        </span>
      </label>
      <label className="rft-check">
        <input type="radio" name={name} disabled />
        <span>
          A model
          <small>
            Needs a model connection: not configured. In Python: <code>ds.dry_run(respond=…)</code>
          </small>
        </span>
      </label>
    </fieldset>
  );
}

interface EstimateProps {
  readonly estimate: DryRunEstimate;
  readonly grader: string;
}

function Estimate({ estimate, grader }: EstimateProps) {
  const { prompts: chosen, available, several, answers, probe_gradings, judge_calls } = estimate;
  const excluded = Object.entries(estimate.excluded);
  return (
    <>
      <dl className="rft-dry-facts">
        <Fact label="Grader">{grader}</Fact>
        <Fact label="Prompts">{`${count(chosen)} of ${count(available)} with an answer`}</Fact>
        <Fact label="With 2 or more answers">{count(several)}</Fact>
        <Fact label="Answers to grade" isMain>
          {count(answers)}
        </Fact>
        <Fact label="Gradings of probes">
          {probe_gradings ? `up to ${count(probe_gradings)}` : "none"}
        </Fact>
        <Fact label="Judge calls">{judge_calls ? `up to ${count(judge_calls)}` : "0"}</Fact>
        <Fact label="Time">
          {estimate.seconds === null ? (
            <span title="This grader has not been timed in a dry run yet">unknown</span>
          ) : (
            `about ${duration(Math.max(1, estimate.seconds))}`
          )}
        </Fact>
        <Fact label="Cost">{cost(estimate)}</Fact>
      </dl>
      {excluded.length > 0 && (
        <p className="rft-note">
          Left out:{" "}
          {excluded
            .map(([why, number]) => `${counted(number, "record")} ${excludedWords(why)}`)
            .join(", ")}
          .
        </p>
      )}
      {estimate.notes.map((note) => (
        <p key={note} className="rft-dry-warning">
          {note}
        </p>
      ))}
      {estimate.not_ready && (
        <p className="rft-dry-warning" role="alert">
          {estimate.not_ready}
        </p>
      )}
    </>
  );
}

interface FactProps {
  readonly label: string;
  readonly isMain?: boolean;
  readonly children: ReactNode;
}

function Fact({ label, isMain = false, children }: FactProps) {
  return (
    <div className={isMain ? "rft-dry-fact-main" : undefined}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
