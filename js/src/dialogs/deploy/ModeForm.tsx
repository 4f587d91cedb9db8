// How the trained model takes part in traffic, and under which names.
import type { DeploymentView } from "../../contract.gen";
import { CheckField, Field, NumberField } from "../../ui/Field";

export type Mode = DeploymentView["mode"];

export interface ModeChoice {
  readonly mode: Mode;
  readonly model: string;
  readonly base_model: string;
  readonly ratio: number;
  readonly upstream_url: string;
  readonly upstream_model: string;
  readonly api_key_env: string;
  readonly keep_exchanges: boolean;
}

export const FIRST_CHOICE: ModeChoice = {
  mode: "new_endpoint",
  model: "",
  base_model: "",
  ratio: 50,
  upstream_url: "",
  upstream_model: "",
  api_key_env: "",
  keep_exchanges: true,
};

export const MODE_TITLES: Readonly<Record<Mode, string>> = {
  new_endpoint: "New endpoint",
  replace: "Replace",
  ab_test: "A/B test",
};

const MODES: readonly (readonly [Mode, string])[] = [
  [
    "new_endpoint",
    "The trained model answers under a name of its own. Nothing else changes: clients choose it by its name.",
  ],
  [
    "replace",
    "Whoever asks for the base model gets the trained one. Rolling back sends everything to the base model again.",
  ],
  [
    "ab_test",
    "A part of the users gets the trained model, the others the base model; each user stays on one. Their answers are compared by your grader.",
  ],
];

interface Props {
  readonly choice: ModeChoice;
  /** The model's name, unless another one is given. */
  readonly modelName: string;
  onChange(choice: ModeChoice): void;
}

export function ModeForm({ choice, modelName, onChange }: Props) {
  const change = (part: Partial<ModeChoice>) => onChange({ ...choice, ...part });
  const text = (name: keyof ModeChoice, label: string, placeholder: string, hint?: string) => (
    <Field label={label} hint={hint}>
      {(control) => (
        <input
          {...control}
          className="rft-input"
          value={String(choice[name])}
          placeholder={placeholder}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => change({ [name]: event.currentTarget.value })}
        />
      )}
    </Field>
  );
  return (
    <section aria-labelledby="rft-deploy-mode" className="rft-deploy-section">
      <fieldset className="rft-deploy-modes">
        <legend id="rft-deploy-mode" className="rft-section-title">
          Mode
        </legend>
        {MODES.map(([mode, words]) => (
          <label key={mode}>
            <input
              type="radio"
              name="rft-deploy-mode"
              checked={choice.mode === mode}
              onChange={() => change({ mode })}
            />
            <strong>{MODE_TITLES[mode]}</strong>
            <span>{words}</span>
          </label>
        ))}
      </fieldset>
      <div className="rft-deploy-fields">
        {text("model", "Name of the trained model", modelName)}
        {choice.mode !== "new_endpoint" &&
          text("base_model", "Name of the base model", choice.upstream_model || "base")}
        {choice.mode === "ab_test" && (
          <NumberField
            label="Users on the trained model, in percent"
            value={choice.ratio}
            min={0}
            max={100}
            onChange={(ratio) => change({ ratio })}
          />
        )}
      </div>
      <details className="rft-training-more" open={choice.upstream_url !== ""}>
        <summary>Upstream for the base model (optional)</summary>
        <p className="rft-note">
          Without one, the base model is the policy from before the training. With one, its share of
          the requests goes to a service that speaks the OpenAI protocol.
        </p>
        <div className="rft-deploy-fields">
          {text("upstream_url", "Base URL", "https://api.example.com/v1")}
          {text("upstream_model", "Model there", "gpt-6-luna")}
          {text(
            "api_key_env",
            "Variable that holds the key",
            "OPENAI_API_KEY",
            "Its name, never the key itself. Empty for a service that wants none.",
          )}
        </div>
      </details>
      <CheckField
        label="Keep requests and answers in the store, so that the outcome can be measured"
        checked={choice.keep_exchanges}
        onChange={(keep_exchanges) => change({ keep_exchanges })}
      />
    </section>
  );
}
