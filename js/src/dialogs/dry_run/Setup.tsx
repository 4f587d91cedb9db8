// What a dry run is asked for, and what it would take.
import type { DryRunConfig, DryRunEstimate, ModelChoice, Problem } from "../../contract.gen";
import { SETTINGS } from "../../contract.gen";
import type { Loaded } from "../../host/loaded";
import { CapField } from "../../ui/CapField";
import { CheckField, NumberField } from "../../ui/Field";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { Answerers } from "./Answerers";
import { Estimate } from "./Estimate";

export interface Options {
  readonly n: number;
  readonly k: number;
  readonly seed: number;
  readonly probes: boolean;
  readonly answers: DryRunConfig["answers"];
  /** Of a connection; it counts where a model answers. */
  readonly model: string | null;
  readonly temperature: number;
  readonly max_tokens: number;
  readonly max_cost_usd: number | null;
}

const { prompts, responses, most_prompts, most_responses } = SETTINGS.dry_run;
const { temperature, max_tokens } = SETTINGS.rollout;

export const DEFAULTS: Options = {
  ...{ n: prompts, k: responses, seed: 0, probes: true },
  ...{ answers: "recorded", model: null, temperature, max_tokens, max_cost_usd: null },
};

/** What a run was asked for, for another one. */
export function optionsOf(config: DryRunConfig): Partial<Options> {
  const { n, k, seed, probes, model } = config;
  return {
    ...{ n, k, seed, probes },
    answers: model ? "model" : "recorded",
    model: model || null,
    temperature: config.temperature ?? temperature,
    max_tokens: config.max_tokens ?? max_tokens,
  };
}

/** What the kernel is asked; no model where recorded answers are graded. */
export function paramsOf({ answers, ...options }: Options) {
  return answers === "model"
    ? options
    : { ...options, model: null, temperature: null, max_tokens: null };
}

const MOST_SEED = 2 ** 31 - 1;

interface Props {
  readonly options: Options;
  readonly grader: string;
  readonly models: Loaded<readonly ModelChoice[]>;
  /** Nothing while it is counted, or a model has to be chosen first. */
  readonly estimate: DryRunEstimate | null;
  readonly problem: Problem | null;
  onChange(options: Options): void;
  onRetry(): void;
}

export function Setup({ options, grader, models, estimate, problem, onChange, onRetry }: Props) {
  const set = (some: Partial<Options>) => onChange({ ...options, ...some });
  const asksModel = options.answers === "model" || (estimate?.judge_calls ?? 0) > 0;
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
        <Answerers options={options} models={models} onChange={set} />
        {asksModel && (
          <CapField
            value={options.max_cost_usd}
            onChange={(max_cost_usd) => set({ max_cost_usd })}
          />
        )}
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
