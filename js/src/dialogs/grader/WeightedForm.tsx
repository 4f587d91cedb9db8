// Several graders and the formula that makes one score of theirs.
import { Plus, Trash2 } from "lucide-react";
import type { GraderStart } from "../../contract.gen";
import { Button, IconButton } from "../../ui/Button";
import { CodeEditor } from "../../ui/CodeEditor";
import { Menu } from "../../ui/Menu";
import {
  changed,
  type GraderValue,
  objectOf,
  PART_TYPES,
  TYPE_TITLES,
  textOf,
  typeOf,
} from "./draft";
import { type FormProps, marksAt, SingleForm } from "./Forms";
import { formulaOf, renamed, weightsOf } from "./weights";

interface Props extends FormProps {
  readonly starts: readonly GraderStart[];
  readonly part: string | null;
  onPart(name: string): void;
}

export function WeightedForm(props: Props) {
  const { value, starts, part, onPart, problems, onChange } = props;
  const parts = new Map(Object.entries(objectOf(value.graders) ?? {}));
  const formula = textOf(value.calculate_output);
  const weights = weightsOf(formula);
  const put = (graders: ReadonlyMap<string, unknown>, calculate_output: string) =>
    onChange(changed(value, { graders: Object.fromEntries(graders), calculate_output }));
  const withWeights = (next: ReadonlyMap<string, number>) => (weights ? formulaOf(next) : formula);

  const add = (start: GraderStart) => {
    const name = freeName(textOf(start.grader.name) || "part", parts);
    put(
      new Map(parts).set(name, changed(start.grader, { name })),
      weights ? withWeights(new Map(weights).set(name, 1)) : formula,
    );
    onPart(name);
  };
  const remove = (name: string) => {
    const left = new Map(parts);
    left.delete(name);
    const rest = new Map(weights ?? []);
    rest.delete(name);
    put(left, withWeights(rest));
    onPart([...left.keys()][0] ?? "");
  };
  const rename = (name: string, next: string) => {
    if (next === "" || next === name || parts.has(next)) return false;
    put(
      new Map([...parts].map(([key, one]) => [key === name ? next : key, one])),
      renamed(formula, name, next),
    );
    onPart(next);
    return true;
  };

  const open = part !== null ? objectOf(parts.get(part)) : null;
  return (
    <div className="rft-grader-form">
      <div className="rft-grader-field">
        <span className="rft-label">Graders and weights</span>
        <table className="rft-grader-parts">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Type</th>
              <th scope="col">Weight</th>
              <th scope="col">
                <span className="rft-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {[...parts].map(([name, one]) => {
              const type = typeOf(objectOf(one) ?? {});
              const faults = problems.filter(({ where }) => where.startsWith(`graders.${name}.`));
              return (
                <tr key={name} data-part={name}>
                  <td>
                    <input
                      className="rft-input"
                      aria-label={`Name of ${name}`}
                      defaultValue={name}
                      onBlur={(event) => {
                        const input = event.currentTarget;
                        if (!rename(name, input.value.trim())) input.value = name;
                      }}
                    />
                  </td>
                  <td>
                    {type ? TYPE_TITLES[type] : "Unknown"}
                    {faults.length > 0 && <span className="rft-grader-wrong"> • has a fault</span>}
                  </td>
                  <td>
                    <input
                      type="number"
                      min={0}
                      step={0.05}
                      className="rft-input rft-number"
                      aria-label={`Weight of ${name}`}
                      disabled={!weights}
                      value={weights ? (weights.get(name) ?? 0) : ""}
                      onChange={(event) => {
                        const weight = event.currentTarget.valueAsNumber;
                        if (!weights || !(weight >= 0)) return;
                        put(parts, formulaOf(new Map(weights).set(name, weight)));
                      }}
                    />
                  </td>
                  <td className="rft-grader-acts">
                    <Button
                      aria-pressed={name === part}
                      aria-label={name === part ? `Shown below: ${name}` : `Edit ${name}`}
                      onClick={() => onPart(name)}
                    >
                      {name === part ? "Shown below" : "Edit"}
                    </Button>
                    <IconButton
                      label={`Remove ${name}`}
                      disabled={parts.size === 1}
                      onClick={() => remove(name)}
                    >
                      <Trash2 size={14} aria-hidden />
                    </IconButton>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
        <div>
          <Menu
            items={starts
              .filter(({ type }) => PART_TYPES.includes(type))
              .map((start) => ({ label: TYPE_TITLES[start.type], onSelect: () => add(start) }))}
          >
            <Button icon={<Plus size={14} aria-hidden />}>Add Grader</Button>
          </Menu>
        </div>
      </div>
      <div className="rft-grader-field">
        <span className="rft-label">Formula</span>
        <span className="rft-field-note">
          {weights
            ? "Made from the weights, or written: + - * / ^ ( ), min max abs floor ceil exp sqrt log."
            : "More than a sum of weights: edit it here."}
        </span>
        <CodeEditor
          value={formula}
          language="text"
          label="Formula"
          minHeight={32}
          problems={marksAt(problems, "calculate_output")}
          onChange={(text) => onChange(changed(value, { calculate_output: text }))}
        />
      </div>
      {open && part !== null && (
        <section key={part} className="rft-grader-part" aria-label={`Grader ${part}`}>
          <h3 className="rft-section-title">{part}</h3>
          <SingleForm
            {...props}
            value={open}
            where={`graders.${part}.`}
            onChange={(next) => put(new Map(parts).set(part, next), formula)}
          />
        </section>
      )}
    </div>
  );
}

function freeName(wanted: string, taken: ReadonlyMap<string, unknown>): string {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? wanted : `${wanted}_${count}`;
    if (!taken.has(name)) return name;
  }
}

export const firstPart = (grader: GraderValue): string | null =>
  Object.keys(objectOf(grader.graders) ?? {})[0] ?? null;
