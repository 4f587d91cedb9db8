import type { HyperparameterField, Problem, TrainingConfig } from "../../contract.gen";
import { ChoiceField, Field, NumberField } from "../../ui/Field";
import { count } from "../../ui/numbers";
import { useUnfolded } from "./useUnfolded";

type Values = TrainingConfig["hyperparameters"];
type Value = Values[string];

interface Props {
  readonly fields: readonly HyperparameterField[];
  readonly values: Values;
  /** Why the settings are refused; it begins with the name of the field that it is about. */
  readonly refusal: Problem | null;
  onChange(values: Values): void;
}

/** The settings of a trainer, within its own bounds; all but the first behind a fold. */
export function Hyperparameters({ fields, values, refusal, onChange }: Props) {
  const [first, ...rest] = fields;
  const isAbout = (field: HyperparameterField) =>
    refusal?.message.startsWith(`${field.name} `) === true;
  const more = useUnfolded(rest.some(isAbout));
  if (!first) return null;
  const changed = rest.filter((field) => given(values, field) !== field.default).length;
  const one = (field: HyperparameterField) => (
    <Setting
      key={field.name}
      field={field}
      value={given(values, field)}
      error={isAbout(field) && refusal ? refusal.message : null}
      onChange={(value) => onChange(changedTo(values, field, value))}
    />
  );
  return (
    <section aria-labelledby="rft-training-numbers">
      <h3 id="rft-training-numbers" className="rft-section-title">
        Hyperparameters
      </h3>
      {one(first)}
      {rest.length > 0 && (
        <details ref={more} className="rft-training-more">
          <summary>{changed ? `More settings (${changed} changed)` : "More settings"}</summary>
          <div className="rft-training-numbers">{rest.map(one)}</div>
        </details>
      )}
    </section>
  );
}

interface SettingProps {
  readonly field: HyperparameterField;
  readonly value: Value;
  readonly error: string | null;
  onChange(value: Value): void;
}

function Setting({ field, value, error, onChange }: SettingProps) {
  const { title, description, choices } = field;
  if (choices.length > 0) {
    const auto = field.default === null ? ([["", "Automatic"]] as const) : [];
    return (
      <ChoiceField
        label={title}
        value={value === null ? "" : String(value)}
        options={[...auto, ...choices.map((one) => [one, one] as const)]}
        hint={description}
        onChange={(chosen) => onChange(chosen === "" ? null : chosen)}
      />
    );
  }
  const low = field.low ?? 0;
  const high = field.high ?? 0;
  const shared = {
    label: title,
    hint: `${description} ${plain(low)} to ${plain(high)}.`,
    error,
  };
  if (field.default === null) {
    return <AutoNumber {...shared} {...{ field, value, onChange }} />;
  }
  return (
    <NumberField
      {...shared}
      value={Number(value)}
      min={low}
      max={high}
      step={stepOf(field)}
      onChange={(next) => onChange(field.is_whole ? Math.round(next) : next)}
    />
  );
}

interface AutoProps extends SettingProps {
  readonly label: string;
  readonly hint: string;
}

/** A number that the trainer, or its service, decides on while nothing is given. */
function AutoNumber({ label, hint, field, value, error, onChange }: AutoProps) {
  const take = (input: HTMLInputElement) => {
    const next = input.valueAsNumber;
    if (input.value === "") onChange(null);
    else if (next >= (field.low ?? 0) && next <= (field.high ?? 0)) {
      onChange(field.is_whole ? Math.round(next) : next);
    } else input.value = value === null ? "" : String(value);
  };
  return (
    <Field label={label} hint={`${hint} Empty: automatic.`} error={error}>
      {(control) => (
        <input
          {...control}
          type="number"
          className="rft-input"
          min={field.low ?? 0}
          max={field.high ?? 0}
          step={stepOf(field)}
          placeholder="auto"
          defaultValue={value ?? ""}
          key={value}
          onBlur={(event) => take(event.currentTarget)}
          onKeyDown={(event) => {
            if (event.key === "Enter") take(event.currentTarget);
          }}
        />
      )}
    </Field>
  );
}

const stepOf = (field: HyperparameterField): number =>
  field.is_whole ? 1 : Math.min(0.01, field.low || 0.01);

/** Whole numbers with separators, small ones in full. */
const plain = (value: number): string => (value < 1 ? String(value) : count(value));

function given(values: Values, field: HyperparameterField): Value {
  return values[field.name] ?? field.default;
}

/** Only what differs from the defaults stands in a configuration. */
function changedTo(values: Values, field: HyperparameterField, value: Value): Values {
  const { [field.name]: _, ...others } = values;
  return value === field.default ? others : { ...others, [field.name]: value };
}
