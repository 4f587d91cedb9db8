import { type ReactNode, useId } from "react";

interface FieldProps {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | null;
  /** Gets the id of the control, and of what describes it. */
  children(control: { id: string; "aria-describedby"?: string; "aria-invalid"?: true }): ReactNode;
}

/** A control with its label, a hint, and what is wrong with its value. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const note = `${id}-note`;
  const described = error || hint ? { "aria-describedby": note } : {};
  return (
    <div className={error ? "rft-field rft-field-wrong" : "rft-field"}>
      <label htmlFor={id}>{label}</label>
      {children({ id, ...described, ...(error ? { "aria-invalid": true } : {}) })}
      {(error || hint) && (
        <span id={note} className="rft-field-note" role={error ? "alert" : undefined}>
          {error || hint}
        </span>
      )}
    </div>
  );
}

interface NumberProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step?: number;
  readonly hint?: ReactNode;
  readonly error?: string | null;
  readonly disabled?: boolean;
  onChange(value: number): void;
}

/** A number within bounds; what is outside of them is said and not taken. */
export function NumberField({ label, value, onChange, hint, error, ...bounds }: NumberProps) {
  return (
    <Field label={label} hint={hint ?? `${bounds.min} to ${bounds.max}`} error={error ?? null}>
      {(control) => (
        <input
          {...control}
          {...bounds}
          type="number"
          className="rft-input"
          defaultValue={value}
          key={value}
          onBlur={(event) => take(event.currentTarget, bounds, value, onChange)}
          onKeyDown={(event) => {
            if (event.key === "Enter") take(event.currentTarget, bounds, value, onChange);
          }}
        />
      )}
    </Field>
  );
}

function take(
  input: HTMLInputElement,
  { min, max }: { readonly min: number; readonly max: number },
  before: number,
  onChange: (value: number) => void,
): void {
  const value = input.valueAsNumber;
  if (Number.isFinite(value) && value >= min && value <= max) {
    if (value !== before) onChange(value);
  } else input.value = String(before);
}

interface ChoiceProps<V extends string> {
  readonly label: string;
  readonly value: V;
  readonly options: readonly (readonly [value: V, words: string])[];
  readonly hint?: ReactNode;
  readonly disabled?: boolean;
  onChange(value: V): void;
}

export function ChoiceField<V extends string>(props: ChoiceProps<V>) {
  const { label, value, options, hint, disabled, onChange } = props;
  return (
    <Field label={label} hint={hint}>
      {(control) => (
        <select
          {...control}
          className="rft-input"
          value={value}
          disabled={disabled}
          onChange={(event) => {
            const chosen = options.find(([one]) => one === event.currentTarget.value);
            if (chosen) onChange(chosen[0]);
          }}
        >
          {options.map(([one, words]) => (
            <option key={one} value={one}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface CheckProps {
  readonly label: ReactNode;
  readonly checked: boolean;
  readonly disabled?: boolean;
  onChange(checked: boolean): void;
}

export function CheckField({ label, checked, disabled, onChange }: CheckProps) {
  return (
    <label className="rft-check">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  );
}
