// Which model is trained, at which service, and what that needs to be told.
import type {
  ModelChoice,
  Problem,
  SettingField,
  TrainerInfo,
  TrainingConfig,
} from "../../contract.gen";
import { useNavigation } from "../../host/navigation";
import { ModelSelect } from "../../ui/ModelSelect";
import { TextSetting } from "./TextSetting";
import { useUnfolded } from "./useUnfolded";

interface Props {
  readonly trainer: TrainerInfo;
  readonly config: TrainingConfig;
  readonly connections: readonly ModelChoice[] | null;
  /** Why the settings are refused; it names what it is about. */
  readonly refusal: Problem | null;
  onChange(config: TrainingConfig): void;
}

export function ModelFields({ trainer, config, connections, refusal, onChange }: Props) {
  const navigation = useNavigation();
  const setText = (name: string, value: string) => {
    const { [name]: _, ...others } = config.settings;
    onChange({ ...config, settings: value === "" ? others : { ...others, [name]: value } });
  };
  const isAbout = (field: SettingField) =>
    refusal !== null &&
    [field.name, field.title].some((name) => refusal.message.startsWith(`${name} `));
  const text = (field: SettingField) => (
    <TextSetting
      key={field.name}
      label={field.title}
      value={config.settings[field.name] ?? ""}
      hint={field.description}
      error={isAbout(field) && refusal ? refusal.message : null}
      placeholder={field.example}
      onChange={(value) => setText(field.name, value)}
    />
  );
  const optional = trainer.settings.filter((field) => !field.is_required);
  const given = optional.filter((field) => config.settings[field.name]).length;
  const fold = useUnfolded(given > 0 || optional.some(isAbout));
  const base = config.base_model ?? "";
  return (
    <section aria-labelledby="rft-training-base" className="rft-training-fields">
      <h3 id="rft-training-base" className="rft-section-title">
        Base model
      </h3>
      {trainer.needs_base_model ? (
        <TextSetting
          label="Model that is trained"
          value={base}
          error={base && refusal?.message.includes(base) ? refusal.message : null}
          offered={trainer.base_models}
          hint={trainer.base_model}
          onChange={(value) => onChange({ ...config, base_model: value || null })}
        />
      ) : (
        <p className="rft-note">{trainer.base_model}</p>
      )}
      {trainer.needs_connection && (
        <>
          <ModelSelect
            label="Connection to the service"
            value={config.connection}
            choices={connections}
            none="Choose a connection…"
            onChange={(connection) => onChange({ ...config, connection })}
          />
          {connections?.length === 0 && navigation.settings && (
            <p className="rft-note">
              <button type="button" className="rft-link" onClick={navigation.settings}>
                Open Settings, Models
              </button>
            </p>
          )}
        </>
      )}
      {trainer.settings.filter((field) => field.is_required).map(text)}
      {optional.length > 0 && (
        <details ref={fold} className="rft-training-more">
          <summary>{given ? `Optional (${given} given)` : `Optional (${optional.length})`}</summary>
          <div className="rft-training-fields">{optional.map(text)}</div>
        </details>
      )}
    </section>
  );
}

/** What has to be given before there can be a run, in words; empty when all of it is. */
export function lacking(trainer: TrainerInfo, config: TrainingConfig): string {
  if (trainer.needs_base_model && !config.base_model) return "Name the model that is trained.";
  if (trainer.needs_connection && !config.connection)
    return "Choose the connection to the service.";
  const field = trainer.settings.find((one) => one.is_required && !config.settings[one.name]);
  return field ? `Fill in: ${field.title}.` : "";
}

/** A configuration for another trainer: the split stays, all that was the other trainer's goes. */
export const switched = (config: TrainingConfig, trainer: string): TrainingConfig => ({
  ...config,
  ...{ trainer, base_model: null, connection: null, hyperparameters: {}, settings: {} },
});
