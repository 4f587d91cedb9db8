// Append or replace, and what each would do. Knows nothing of Jupyter.
import { useId } from "react";
import type { FileCheck } from "../../contract.gen";
import { count, counted } from "../../ui/numbers";

export type Mode = "append" | "replace";

interface Props {
  readonly mode: Mode;
  /** Records that are there now. */
  readonly records: number;
  readonly check: FileCheck;
  onMode(mode: Mode): void;
}

export function ImportForm({ mode, records, check, onMode }: Props) {
  const there = counted(records, "record");
  const name = useId();
  return (
    <fieldset className="rft-modes">
      <legend className="rft-section-title">What happens to the records that are there</legend>
      <ModeChoice
        {...{ mode, name, onMode }}
        value="append"
        title="Append"
        text={`The ${there} stay; ${count(check.append.valid)} valid ones are added.`}
      />
      <ModeChoice
        {...{ mode, name, onMode }}
        value="replace"
        title="Replace"
        text={`The ${there} go, all at once, when the whole file was read; ${count(check.replace.valid)} valid ones take their place.`}
      />
      {mode === "replace" && records > 0 && (
        <p className="rft-danger-note" role="alert">
          {`This removes the ${there} of the dataset.`}
        </p>
      )}
    </fieldset>
  );
}

interface ChoiceProps {
  readonly mode: Mode;
  readonly name: string;
  readonly value: Mode;
  readonly title: string;
  readonly text: string;
  onMode(mode: Mode): void;
}

function ModeChoice({ mode, name, value, title, text, onMode }: ChoiceProps) {
  return (
    <label className={mode === value ? "rft-card rft-mode rft-mode-chosen" : "rft-card rft-mode"}>
      <input type="radio" name={name} checked={mode === value} onChange={() => onMode(value)} />
      <span>
        <strong>{title}</strong>
        <span className="rft-mode-text">{text}</span>
      </span>
    </label>
  );
}
