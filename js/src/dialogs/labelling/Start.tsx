// Who labels, how, and how many answers. Knows nothing of Jupyter.
import { useState } from "react";
import { type LabellingView, SETTINGS } from "../../contract.gen";
import { Button } from "../../ui/Button";
import { ChoiceField, Field, NumberField } from "../../ui/Field";
import { counted } from "../../ui/numbers";
import type { Person, Scale } from "./useLabelling";

interface Props {
  readonly view: LabellingView;
  readonly person: Person;
  readonly isImporting: boolean;
  onChange(person: Person): void;
  onStart(): void;
  onImport(field: string): void;
}

const SCALES: readonly (readonly [Scale, string])[] = [
  ["pass_fail", "Pass or fail"],
  ["five", "1 to 5"],
];

export function Start({ view, person, isImporting, onChange, onStart, onImport }: Props) {
  const { max_labeller_chars: longest, most_labels: most } = SETTINGS.trust;
  const known = view.labellers.find(({ labeller }) => labeller === person.labeller.trim());
  return (
    <form
      className="rft-label-start"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (person.labeller.trim()) onStart();
      }}
    >
      <p className="rft-note">
        You see prompts and answers, and nothing of what a grader says. Label as many as you set out
        to, or stop at any time: what you said is kept, and you go on where you left off.
      </p>
      <div className="rft-label-fields">
        <Field
          label="Your name"
          hint={
            known
              ? `${counted(known.labels, "answer")} labelled so far`
              : "So that people can be compared"
          }
        >
          {(control) => (
            <input
              {...control}
              className="rft-input"
              list="rft-labellers"
              maxLength={longest}
              autoComplete="off"
              value={person.labeller}
              onChange={(event) => onChange({ ...person, labeller: event.currentTarget.value })}
            />
          )}
        </Field>
        <datalist id="rft-labellers">
          {view.labellers.map(({ labeller }) => (
            <option key={labeller} value={labeller} />
          ))}
        </datalist>
        <ChoiceField
          label="Scale"
          value={person.scale}
          options={SCALES}
          hint={(person.scale === "five" ? view.five : view.pass_fail).join(", ")}
          onChange={(scale) => onChange({ ...person, scale })}
        />
        <NumberField
          label="Answers"
          value={person.n}
          min={1}
          max={most}
          hint={`In all; ${SETTINGS.trust.few} are the least that say something`}
          onChange={(n) => onChange({ ...person, n: Math.round(n) })}
        />
      </div>
      <div className="rft-row">
        <Button look="main" type="submit" disabled={!person.labeller.trim()}>
          {known && known.labels > 0 ? "Go On Labelling" : "Start Labelling"}
        </Button>
      </div>
      {view.fields.length > 0 && (
        <Import fields={view.fields} isBusy={isImporting} onImport={onImport} />
      )}
    </form>
  );
}

interface ImportProps {
  readonly fields: readonly string[];
  readonly isBusy: boolean;
  onImport(field: string): void;
}

function Import({ fields, isBusy, onImport }: ImportProps) {
  const [chosen, setChosen] = useState<string | null>(null);
  const field = chosen !== null && fields.includes(chosen) ? chosen : (fields[0] ?? "");
  return (
    <div className="rft-label-import">
      <ChoiceField
        label="Labels that came with the records"
        value={field}
        options={fields.map((name) => [name, name] as const)}
        hint="Passed and not passed; the name of the field stands for the person"
        onChange={setChosen}
      />
      <Button isBusy={isBusy} onClick={() => onImport(field)}>
        Use These
      </Button>
    </div>
  );
}
