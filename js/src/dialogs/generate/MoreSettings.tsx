// What seldom has to be changed.
import type { GenerationConfig } from "../../contract.gen";
import { CheckField, NumberField } from "../../ui/Field";

interface Props {
  readonly config: GenerationConfig;
  onChange(change: Partial<GenerationConfig>): void;
}

/** Numbers of the settings that stand alone. */
type Name = {
  [K in keyof GenerationConfig]: GenerationConfig[K] extends number ? K : never;
}[keyof GenerationConfig];

interface Setting {
  readonly name: Name;
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly step?: number;
}

const SETTINGS: readonly Setting[] = [
  { name: "temperature", label: "Temperature", min: 0, max: 2, step: 0.1 },
  { name: "min_length", label: "Shortest prompt, characters", min: 1, max: 100_000 },
  { name: "max_length", label: "Longest prompt, characters", min: 1, max: 100_000 },
  {
    ...{ name: "near_duplicate_threshold", label: "Similarity that counts as a repeat" },
    ...{ min: 0.05, max: 1, step: 0.05 },
  },
  { name: "retries", label: "Rounds for what is missing", min: 0, max: 10 },
  { name: "examples", label: "Examples that a request shows", min: 1, max: 10 },
  { name: "candidates_per_request", label: "Candidates per request", min: 1, max: 20 },
];

export function MoreSettings({ config, onChange }: Props) {
  return (
    <details>
      <summary>More settings</summary>
      <div className="rft-generate-more">
        <CheckField
          label="Keep the intent of the source record"
          checked={config.preserve_intent}
          onChange={(preserve_intent) => onChange({ preserve_intent })}
        />
        {SETTINGS.map(({ name, ...field }) => (
          <NumberField
            key={name}
            {...field}
            value={config[name]}
            onChange={(value) => onChange({ [name]: value })}
          />
        ))}
      </div>
    </details>
  );
}
