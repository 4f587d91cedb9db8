// What answers in a dry run: what was recorded, or a model anew.
import { useId } from "react";
import type { ModelChoice } from "../../contract.gen";
import type { Loaded } from "../../host/loaded";
import { NumberField } from "../../ui/Field";
import { ModelSelect } from "../../ui/ModelSelect";
import { ProblemNote } from "../../ui/ProblemNote";
import type { Options } from "./Setup";

interface Props {
  readonly options: Options;
  readonly models: Loaded<readonly ModelChoice[]>;
  onChange(change: Partial<Options>): void;
}

export function Answerers({ options, models, onChange }: Props) {
  const name = useId();
  const { answers, model } = options;
  const choices = models.value;
  return (
    <fieldset className="rft-dry-answerers">
      <legend>What answers</legend>
      <label className="rft-check">
        <input
          type="radio"
          name={name}
          checked={answers === "recorded"}
          onChange={() => onChange({ answers: "recorded" })}
        />
        <span>
          Recorded outputs
          <small>The answers that the records came with; nothing is asked</small>
        </span>
      </label>
      <label className="rft-check">
        <input
          type="radio"
          name={name}
          checked={answers === "model"}
          onChange={() =>
            onChange({
              answers: "model",
              model: model ?? (choices?.length === 1 ? (choices[0]?.name ?? null) : null),
            })
          }
        />
        <span>
          A model
          <small>Answers every prompt anew, k times, with the tools that it had</small>
        </span>
      </label>
      {answers === "model" && (
        <div className="rft-dry-model">
          {models.problem && <ProblemNote problem={models.problem} onRetry={models.reload} />}
          <ModelSelect
            label="Model"
            value={model}
            choices={choices}
            note="The one that would be trained says most."
            onChange={(chosen) => onChange({ model: chosen })}
          />
          <NumberField
            label="Temperature"
            value={options.temperature}
            min={0}
            max={2}
            step={0.1}
            hint="0 gives k equal answers"
            onChange={(temperature) => onChange({ temperature })}
          />
          <NumberField
            label="Longest answer, tokens"
            value={options.max_tokens}
            min={1}
            max={1_000_000}
            hint="Longer ones are cut"
            onChange={(max_tokens) => onChange({ max_tokens })}
          />
        </div>
      )}
    </fieldset>
  );
}
