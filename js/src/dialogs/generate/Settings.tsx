// What to generate from, and how. Knows nothing of Jupyter.
import type { ReactNode } from "react";
import type { GenerateOptions, GenerationConfig } from "../../contract.gen";
import type { Loaded } from "../../host/loaded";
import { CheckField, ChoiceField, NumberField } from "../../ui/Field";
import { MoreSettings } from "./MoreSettings";
import { StrategyFields } from "./StrategyFields";
import { strategyName } from "./words";

interface Props {
  readonly config: GenerationConfig;
  readonly options: GenerateOptions;
  /** Whether records were selected before. */
  readonly hasSelection: boolean;
  readonly tools: Loaded<readonly string[] | null>;
  /** Who is asked, and for how much. */
  readonly asking: ReactNode;
  onChange(config: GenerationConfig): void;
}

type Source = GenerationConfig["source"];

const SOURCES: readonly (readonly [Source, string])[] = [
  ["gaps", "Gaps of the coverage"],
  ["topics", "Topics of my choice"],
  ["selected", "Selected records"],
];

const AUTO = "auto";

export function Settings({ config, options, hasSelection, tools, asking, onChange }: Props) {
  const set = (change: Partial<GenerationConfig>) => onChange({ ...config, ...change });
  const chosen = options.strategies.find(({ name }) => name === config.strategy);
  return (
    <div className="rft-generate-settings">
      <ChoiceField
        label="Generate from"
        value={config.source}
        options={SOURCES.filter(([source]) => source !== "selected" || hasSelection)}
        hint={hasSelection ? undefined : "Select records in the table to vary those."}
        onChange={(source) => set({ source })}
      />
      {config.source === "topics" && (
        <>
          <Topics {...{ config, options, set }} />
          <NumberField
            label="Records per topic"
            value={config.records_per_topic}
            min={1}
            max={10_000}
            onChange={(records_per_topic) => set({ records_per_topic })}
          />
        </>
      )}
      {config.source === "selected" && (
        <NumberField
          label="Variations per record"
          value={config.variations_per_record}
          min={1}
          max={20}
          onChange={(variations_per_record) => set({ variations_per_record })}
        />
      )}
      <ChoiceField
        label="Strategy"
        value={config.strategy ?? AUTO}
        options={[
          [AUTO, "Chosen for each topic"],
          ...options.strategies.map(({ name }) => [name, strategyName(name)] as const),
        ]}
        hint={chosen?.words ?? "By what the records of the topic are like; the plan says which."}
        onChange={(name) =>
          set({ strategy: options.strategies.find((one) => one.name === name)?.name ?? null })
        }
      />
      <StrategyFields config={config} tools={tools} onChange={set} />
      {asking}
      <NumberField
        label="Largest share of generated records"
        value={config.max_synthetic_ratio}
        min={0}
        max={0.9}
        step={0.05}
        hint="0 to 0.9, of the whole dataset afterwards"
        onChange={(max_synthetic_ratio) => set({ max_synthetic_ratio })}
      />
      <MoreSettings config={config} onChange={set} />
    </div>
  );
}

interface TopicsProps extends Pick<Props, "config" | "options"> {
  set(change: Partial<GenerationConfig>): void;
}

function Topics({ config, options, set }: TopicsProps) {
  const chosen = new Set(config.topics);
  return (
    <fieldset className="rft-generate-topics">
      <legend>Topics</legend>
      {options.topics.map((topic) => (
        <CheckField
          key={topic}
          label={topic}
          checked={chosen.has(topic)}
          onChange={(isChosen) =>
            set({
              topics: options.topics.filter((one) => (one === topic ? isChosen : chosen.has(one))),
            })
          }
        />
      ))}
    </fieldset>
  );
}
