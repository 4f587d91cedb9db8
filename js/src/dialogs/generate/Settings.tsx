// What to generate from, and how. Knows nothing of Jupyter.
import type { GenerateOptions, GenerationConfig } from "../../contract.gen";
import { CheckField, ChoiceField, NumberField } from "../../ui/Field";

interface Props {
  readonly config: GenerationConfig;
  readonly options: GenerateOptions;
  /** Whether records were selected before. */
  readonly hasSelection: boolean;
  onChange(config: GenerationConfig): void;
}

type Source = GenerationConfig["source"];

const SOURCES: readonly (readonly [Source, string])[] = [
  ["gaps", "Gaps of the coverage"],
  ["topics", "Topics of my choice"],
  ["selected", "Selected records"],
];

const AUTO = "auto";

export const strategyName = (name: string) => {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

export function Settings({ config, options, hasSelection, onChange }: Props) {
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
      <NumberField
        label="Largest share of generated records"
        value={config.max_synthetic_ratio}
        min={0}
        max={0.9}
        step={0.05}
        hint="0 to 0.9, of the whole dataset afterwards"
        onChange={(max_synthetic_ratio) => set({ max_synthetic_ratio })}
      />
      <details>
        <summary>More settings</summary>
        <div className="rft-generate-more">
          <CheckField
            label="Keep the intent of the source record"
            checked={config.preserve_intent}
            onChange={(preserve_intent) => set({ preserve_intent })}
          />
          <NumberField
            label="Temperature"
            value={config.temperature}
            min={0}
            max={2}
            step={0.1}
            onChange={(temperature) => set({ temperature })}
          />
          <NumberField
            label="Shortest prompt, characters"
            value={config.min_length}
            min={1}
            max={100_000}
            onChange={(min_length) => set({ min_length })}
          />
          <NumberField
            label="Longest prompt, characters"
            value={config.max_length}
            min={1}
            max={100_000}
            onChange={(max_length) => set({ max_length })}
          />
          <NumberField
            label="Similarity that counts as a repeat"
            value={config.near_duplicate_threshold}
            min={0}
            max={1}
            step={0.05}
            onChange={(near_duplicate_threshold) => set({ near_duplicate_threshold })}
          />
          <NumberField
            label="Retries"
            value={config.retries}
            min={0}
            max={10}
            onChange={(retries) => set({ retries })}
          />
        </div>
      </details>
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
