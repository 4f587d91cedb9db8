// What only one strategy needs: a scenario, tools, how hard prompts are.
import type { GenerationConfig } from "../../contract.gen";
import type { Loaded } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { CheckField, ChoiceField, Field, NumberField } from "../../ui/Field";
import { ProblemNote } from "../../ui/ProblemNote";

interface Props {
  readonly config: GenerationConfig;
  /** Names of the tools that records have, when they are asked for. */
  readonly tools: Loaded<readonly string[] | null>;
  onChange(change: Partial<GenerationConfig>): void;
}

export function StrategyFields(props: Props) {
  switch (props.config.strategy) {
    case "scenario_expansion":
      return <Scenario {...props} />;
    case "tool_chain":
      return <Tools {...props} />;
    case "topic_description":
      return <Difficulty {...props} />;
    default:
      return null;
  }
}

function Scenario({ config, onChange }: Props) {
  return (
    <>
      <Field label="Scenario" hint="What happens, in a few sentences.">
        {(control) => (
          <textarea
            {...control}
            className="rft-input"
            rows={4}
            maxLength={4_000}
            defaultValue={config.scenario}
            onBlur={(event) => onChange({ scenario: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field label="What of it varies" hint="With commas between: mood, length, product">
        {(control) => (
          <input
            {...control}
            className="rft-input"
            defaultValue={config.aspects.join(", ")}
            onBlur={(event) => onChange({ aspects: partsOf(event.currentTarget.value) })}
          />
        )}
      </Field>
    </>
  );
}

const MOST_PARTS = 20;

const partsOf = (text: string): readonly string[] =>
  text
    .split(",")
    .map((part) => part.trim().slice(0, 200))
    .filter(Boolean)
    .slice(0, MOST_PARTS);

const MOST_TOOLS = 10;

function Tools({ config, tools, onChange }: Props) {
  const { tools: chosen } = config;
  const offered = tools.value ?? [];
  if (tools.problem) return <ProblemNote problem={tools.problem} onRetry={tools.reload} />;
  return (
    <>
      {tools.value?.length === 0 ? (
        <p className="rft-note">No record has a tool: there is nothing that a chain could be of.</p>
      ) : (
        <ChoiceField
          label="Tools, in the order in which they are needed"
          value=""
          options={[["", "Add a tool…"], ...offered.map((name) => [name, name] as const)]}
          disabled={tools.value === null || chosen.length >= MOST_TOOLS}
          hint={
            chosen.length === 0
              ? "Without any: the orders in which recorded answers call them."
              : undefined
          }
          onChange={(name) => name && onChange({ tools: [...chosen, name] })}
        />
      )}
      {chosen.length > 0 && (
        <ol className="rft-generate-tools" aria-label="Chosen tools">
          {chosen.map((name, at) => (
            <li key={`${at}${name}`}>
              <span className="rft-mono">{name}</span>
              <Button
                look="ghost"
                aria-label={`Remove ${name}, number ${at + 1}`}
                onClick={() => onChange({ tools: chosen.filter((_, place) => place !== at) })}
              >
                Remove
              </Button>
            </li>
          ))}
        </ol>
      )}
      <CheckField
        label="Make the answer, too, with its calls and their results"
        checked={config.whole_exchange}
        onChange={(whole_exchange) => onChange({ whole_exchange })}
      />
    </>
  );
}

const LEVELS = ["easy", "medium", "hard"] as const;

function Difficulty({ config, onChange }: Props) {
  const { difficulty } = config;
  const isNothing = LEVELS.every((level) => difficulty[level] === 0);
  return (
    <fieldset className="rft-generate-levels">
      <legend>Parts of easy, medium and hard prompts</legend>
      {LEVELS.map((level) => (
        <NumberField
          key={level}
          label={level}
          value={difficulty[level]}
          min={0}
          max={100}
          onChange={(weight) => onChange({ difficulty: { ...difficulty, [level]: weight } })}
        />
      ))}
      {isNothing && <p className="rft-note">One of them at least has to be above 0.</p>}
    </fieldset>
  );
}
