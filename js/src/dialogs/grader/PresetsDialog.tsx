// Graders to start from: what they look at, with which weights, and what they need.
import { useState } from "react";
import type { GraderView, Problem } from "../../contract.gen";
import { ChoiceField, Field } from "../../ui/Field";
import { FormDialog } from "../../ui/FormDialog";

export interface PresetOptions {
  readonly name: GraderView["presets"][number]["name"];
  readonly model: string;
  readonly reference: string;
  readonly required_fields: readonly string[];
}

interface Props {
  readonly presets: GraderView["presets"];
  readonly fields: GraderView["fields"];
  readonly model: string;
  readonly isBusy: boolean;
  readonly problem: Problem | null;
  onUse(options: PresetOptions): void;
  onClose(): void;
}

export function PresetsDialog({ presets, fields, isBusy, problem, onUse, onClose, ...at }: Props) {
  const [chosen, setChosen] = useState(presets[0]);
  const [model, setModel] = useState(at.model);
  const [reference, setReference] = useState("");
  const [required, setRequired] = useState("");
  const isMissingModel = chosen?.needs_model === true && model.trim() === "";
  return (
    <FormDialog
      title="Start from a Preset"
      action="Use Preset"
      isBusy={isBusy}
      problem={problem}
      canSubmit={chosen !== undefined && !isMissingModel}
      onClose={onClose}
      onSubmit={() =>
        chosen &&
        onUse({
          name: chosen.name,
          model: model.trim(),
          reference,
          required_fields: required
            .split(",")
            .map((one) => one.trim())
            .filter((one) => one !== ""),
        })
      }
    >
      <fieldset className="rft-grader-presets">
        <legend className="rft-hidden">Preset</legend>
        {presets.map((preset) => (
          <label key={preset.name} className="rft-grader-preset">
            <input
              type="radio"
              name="preset"
              checked={preset.name === chosen?.name}
              onChange={() => setChosen(preset)}
            />
            <span>
              <strong>{preset.title}</strong>
              <small>{preset.parts}</small>
            </span>
          </label>
        ))}
      </fieldset>
      {chosen?.needs_model && (
        <Field
          label="Model of the judge"
          hint={
            isMissingModel
              ? "This preset asks a judge: name its model."
              : "As its service calls it."
          }
        >
          {(control) => (
            <input
              {...control}
              className="rft-input"
              value={model}
              onChange={(event) => setModel(event.currentTarget.value)}
            />
          )}
        </Field>
      )}
      {chosen?.name === "correctness" && fields.item.length > 0 && (
        <ChoiceField
          label="Field with the right answer"
          value={reference}
          options={[["", "None"], ...fields.item.map(({ name }) => [name, name] as const)]}
          onChange={setReference}
        />
      )}
      {chosen?.name === "format" && (
        <Field
          label="Required fields"
          hint="Keys of the answer's JSON, separated by commas; empty where each record lists its own under required_fields."
        >
          {(control) => (
            <input
              {...control}
              className="rft-input"
              value={required}
              onChange={(event) => setRequired(event.currentTarget.value)}
            />
          )}
        </Field>
      )}
    </FormDialog>
  );
}
