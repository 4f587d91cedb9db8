// Which model is asked: one of the named connections, or none.
import type { ReactNode } from "react";
import type { ModelChoice } from "../contract.gen";
import { Field } from "./Field";

interface Props {
  readonly label: string;
  /** Name of the connection; null for none. */
  readonly value: string | null;
  /** What `models()` of the dialog gave; null until it has. */
  readonly choices: readonly ModelChoice[] | null;
  /** What it means that no model is asked; without it one has to be chosen. */
  readonly none?: string;
  /** What the model is asked for, or what to know of it. */
  readonly note?: ReactNode;
  readonly disabled?: boolean;
  onChange(value: string | null): void;
}

export function ModelSelect({ label, value, choices, none, note, disabled, onChange }: Props) {
  const chosen = choices?.find(({ name }) => name === value);
  const warnings = chosen ? warningsOf(chosen) : [];
  const isEmpty = choices?.length === 0;
  const isLost = choices !== null && value !== null && !chosen;
  return (
    <Field
      label={label}
      error={isLost ? `There is no connection ${value} any more: choose another.` : null}
      hint={
        (note || warnings.length > 0 || isEmpty) && (
          <>
            {note}
            {warnings.map((one) => (
              <span key={one} className="rft-model-warning rft-tone-warn">
                {one}
              </span>
            ))}
            {isEmpty && <HowToAdd />}
          </>
        )
      }
    >
      {(control) => (
        <select
          {...control}
          className="rft-input"
          value={value ?? ""}
          disabled={disabled || choices === null}
          onChange={(event) => onChange(event.currentTarget.value || null)}
        >
          <option value="">{none ?? (choices === null ? "Loading…" : "Choose a model…")}</option>
          {isLost && <option value={value}>{value}</option>}
          {choices?.map((one) => (
            <option key={one.name} value={one.name}>
              {optionWords(one)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

const optionWords = ({ name, model }: ModelChoice) =>
  name === model ? name : `${name} · ${model}`;

/** What keeps the model from being asked, or is to be known before it is. */
function warningsOf({ notice, missing, works }: ModelChoice): readonly string[] {
  const failed = works === false && !missing ? "It did not answer when it was last tested." : "";
  return [missing, notice, failed].filter((one) => one !== "");
}

function HowToAdd() {
  return (
    <span className="rft-model-missing">
      There is no connection to a model yet. Add one on the page Settings of the app, or in Python:{" "}
      <code>ws.add_connection("judge", "http://127.0.0.1:8000/v1", "my-model")</code>
    </span>
  );
}
