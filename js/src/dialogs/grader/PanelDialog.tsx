// Several judges as one grader, or one judge asked several times.
import { useState } from "react";
import {
  type GraderDialogCalls,
  type ModelChoice,
  type Problem,
  SETTINGS,
} from "../../contract.gen";
import { CheckField, ChoiceField, Field } from "../../ui/Field";
import { FormDialog } from "../../ui/FormDialog";

export type PanelOptions = Required<Omit<GraderDialogCalls["panel"]["params"], "grader">>;

interface Props {
  readonly models: readonly ModelChoice[] | null;
  readonly isBusy: boolean;
  readonly problem: Problem | null;
  onMake(options: PanelOptions): void;
  onClose(): void;
}

const COMBINE = [
  ["mean", "Their mean"],
  ["median", "Their median: one stray judge does not move it"],
] as const;

export function PanelDialog({ models, isBusy, problem, onMake, onClose }: Props) {
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [repeats, setRepeats] = useState(1);
  const [combine, setCombine] = useState<PanelOptions["combine"]>("mean");
  const seats = Math.max(1, chosen.length) * repeats;
  return (
    <FormDialog
      title="Make a Panel"
      action="Make Panel"
      isBusy={isBusy}
      problem={problem}
      canSubmit={seats > 1}
      onClose={onClose}
      onSubmit={() => onMake({ connections: chosen, repeats, combine })}
    >
      <p className="rft-note">
        Every judge of this grader is asked at each model, each time anew, and their scores become
        one. Where one of them fails, that grading fails.
      </p>
      {models !== null && models.length > 0 && (
        <fieldset className="rft-grader-seats">
          <legend className="rft-label">Models</legend>
          {models.map(({ name, model }) => (
            <CheckField
              key={name}
              label={name === model ? name : `${name} · ${model}`}
              checked={chosen.includes(name)}
              onChange={(on) =>
                setChosen(on ? [...chosen, name] : chosen.filter((one) => one !== name))
              }
            />
          ))}
          <span className="rft-field-note">None for the models that the judges have now.</span>
        </fieldset>
      )}
      <Field
        label="Times that each is asked"
        hint="More than once averages away how much a score jitters, where the temperature is above 0."
      >
        {(control) => (
          <input
            {...control}
            type="number"
            className="rft-input"
            min={1}
            max={SETTINGS.judge.most_repeats}
            value={repeats}
            onChange={(event) => {
              const next = event.currentTarget.valueAsNumber;
              if (next >= 1 && next <= SETTINGS.judge.most_repeats) setRepeats(Math.round(next));
            }}
          />
        )}
      </Field>
      <ChoiceField<PanelOptions["combine"]>
        label="Score"
        value={combine}
        options={COMBINE}
        onChange={setCombine}
      />
    </FormDialog>
  );
}
