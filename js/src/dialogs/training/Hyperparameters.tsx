import type { HyperparameterField, TrainingConfig } from "../../contract.gen";
import { NumberField } from "../../ui/Field";
import { count } from "../../ui/numbers";

type Values = TrainingConfig["hyperparameters"];

interface Props {
  readonly fields: readonly HyperparameterField[];
  readonly values: Values;
  onChange(values: Values): void;
}

/** The numbers of a trainer, within its own bounds; all but the first behind a fold. */
export function Hyperparameters({ fields, values, onChange }: Props) {
  const [first, ...rest] = fields;
  if (!first) return null;
  const changed = rest.filter((field) => given(values, field) !== field.default).length;
  const one = (field: HyperparameterField) => (
    <NumberField
      key={field.name}
      label={field.title}
      value={given(values, field)}
      min={field.low ?? 0}
      max={field.high ?? 0}
      step={field.is_whole ? 1 : Math.min(0.01, field.low || 0.01)}
      hint={`${field.description} ${plain(field.low ?? 0)} to ${plain(field.high ?? 0)}.`}
      onChange={(value) => onChange(changedTo(values, field, value))}
    />
  );
  return (
    <section aria-labelledby="rft-training-numbers">
      <h3 id="rft-training-numbers" className="rft-section-title">
        Hyperparameters
      </h3>
      {one(first)}
      <details className="rft-training-more">
        <summary>{changed ? `More settings (${changed} changed)` : "More settings"}</summary>
        <div className="rft-training-numbers">{rest.map(one)}</div>
      </details>
    </section>
  );
}

/** Whole numbers with separators, small ones in full. */
const plain = (value: number): string => (value < 1 ? String(value) : count(value));

function given(values: Values, field: HyperparameterField): number {
  const value = values[field.name];
  return typeof value === "number" ? value : Number(field.default);
}

/** Only what differs from the defaults stands in a configuration. */
function changedTo(values: Values, field: HyperparameterField, value: number): Values {
  const { [field.name]: _, ...others } = values;
  const taken = field.is_whole ? Math.round(value) : value;
  return taken === field.default ? others : { ...others, [field.name]: taken };
}
