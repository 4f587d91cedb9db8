// Right side: the language model that names topics and decides about uncertain records, if any.
import type { ModelChoice, TopicsEstimate, WorkEstimate } from "../../contract.gen";
import { SETTINGS } from "../../contract.gen";
import type { Loaded } from "../../host/loaded";
import { CapField } from "../../ui/CapField";
import { CheckField, Field } from "../../ui/Field";
import { ModelSelect } from "../../ui/ModelSelect";
import { ProblemNote } from "../../ui/ProblemNote";
import { estimateWords, pastErrorWords } from "../../ui/spending";

/** What is asked of a model, and of which. */
export interface Asking {
  readonly model: string | null;
  /** Whether it decides about records that are uncertain, too. */
  readonly decides: boolean;
  readonly instructions: string;
  readonly max_cost_usd: number | null;
}

export const NOBODY: Asking = { model: null, decides: true, instructions: "", max_cost_usd: null };

interface Props {
  readonly asking: Asking;
  readonly models: Loaded<readonly ModelChoice[]>;
  /** What naming, and deciding about the records that have no topic, would take. */
  readonly estimate: Loaded<TopicsEstimate | null>;
  onChange(asking: Asking): void;
}

export function ModelPane({ asking, models, estimate, onChange }: Props) {
  const set = (change: Partial<Asking>) => onChange({ ...asking, ...change });
  return (
    <section className="rft-card rft-topics-card" aria-label="Language model">
      <h3 className="rft-section-title">Language model</h3>
      {models.problem && <ProblemNote problem={models.problem} onRetry={models.reload} />}
      <ModelSelect
        label="Names by a model"
        value={asking.model}
        choices={models.value}
        none="No model: words that set topics apart"
        onChange={(model) => set({ model })}
      />
      {asking.model !== null && (
        <>
          <Field label="Instructions" hint="How topics are to be told apart, or what to call them.">
            {(control) => (
              <textarea
                {...control}
                className="rft-input rft-topics-words"
                rows={2}
                maxLength={SETTINGS.topic_model.instructions_chars}
                value={asking.instructions}
                onChange={(event) => set({ instructions: event.currentTarget.value })}
              />
            )}
          </Field>
          <CheckField
            label="It decides about records that are uncertain"
            checked={asking.decides}
            onChange={(decides) => set({ decides })}
          />
          <Estimate estimate={estimate} decides={asking.decides} />
          <CapField
            value={asking.max_cost_usd}
            onChange={(max_cost_usd) => set({ max_cost_usd })}
          />
        </>
      )}
    </section>
  );
}

interface EstimateProps extends Pick<Props, "estimate"> {
  readonly decides: boolean;
}

function Estimate({ estimate: { value, problem, reload }, decides }: EstimateProps) {
  if (problem) return <ProblemNote problem={problem} onRetry={reload} />;
  if (!value) return <p className="rft-note">Counting what it would take…</p>;
  return (
    <dl className="rft-topics-takes">
      <Takes what="Naming, at most" estimate={value.naming} />
      {decides && value.deciding && (
        <Takes what="Records without a topic" estimate={value.deciding} />
      )}
    </dl>
  );
}

function Takes({ what, estimate }: { readonly what: string; readonly estimate: WorkEstimate }) {
  return (
    <div>
      <dt>{what}</dt>
      <dd>
        {estimateWords(estimate)} {pastErrorWords(estimate)}
      </dd>
    </div>
  );
}
