// A connection, new or changed. A key never comes here: only the name of what holds it.
import { type InputHTMLAttributes, useId, useState } from "react";
import { type NamedConnection, SETTINGS } from "../../../contract.gen";
import { useAction } from "../../../host/loaded";
import { CheckField, Field, NumberField } from "../../../ui/Field";
import { FormDialog } from "../../../ui/FormDialog";
import { useToast } from "../../../ui/toasts";
import { useApp } from "../../app_host";
import { priceText, readPrice } from "./words";

interface Props {
  /** What is changed; null for a new one. */
  readonly named: NamedConnection | null;
  /** What its service said that it serves. */
  readonly models: readonly string[];
  readonly taken: readonly string[];
  onSaved(): void;
  onClose(): void;
}

const RULES = SETTINGS.connection;
const KEY_NAME = new RegExp(`^(?:${RULES.key_name})$`);

const NEW: NamedConnection = {
  ...{ name: "", model: "", embedding_model: null, requests_per_minute: null },
  ...{ concurrency: RULES.concurrency, input_price: null, output_price: null },
  connection: { base_url: "", api_key_env: null, timeout_s: RULES.timeout_s, structured: true },
};

export function ConnectionForm({ named, models, taken, onSaved, onClose }: Props) {
  const { rpc } = useApp();
  const say = useToast();
  const [now, setNow] = useState(named ?? NEW);
  const [prices, setPrices] = useState({
    input: priceText(now.input_price),
    output: priceText(now.output_price),
  });
  const [perMinute, setPerMinute] = useState(String(now.requests_per_minute ?? ""));
  const put = (changes: Partial<NamedConnection>) => setNow({ ...now, ...changes });
  const at = (changes: Partial<NamedConnection["connection"]>) =>
    put({ connection: { ...now.connection, ...changes } });
  const list = useId();

  const input = readPrice(prices.input);
  const output = readPrice(prices.output);
  const limit = perMinute.trim() === "" ? null : Number(perMinute);
  const isLimit = limit === null || (Number.isInteger(limit) && limit > 0);
  const key = now.connection.api_key_env;
  const isKeyName = key === null || KEY_NAME.test(key);
  const isTaken = named === null && taken.includes(now.name.trim());
  const isWhole = [now.name, now.model, now.connection.base_url].every((one) => one.trim() !== "");
  const isRight = isKeyName && isLimit && input !== undefined && output !== undefined && !isTaken;

  const save = useAction(async () => {
    if (input === undefined || output === undefined) return;
    const changed = { input_price: input, output_price: output, requests_per_minute: limit };
    await rpc.call("save_connection", { named: { ...now, ...changed, name: now.name.trim() } });
    say({ title: "Saved", text: `Test ${now.name.trim()} to see what it can do.`, tone: "ok" });
    onSaved();
    onClose();
  });

  return (
    <FormDialog
      title={named ? `Connection ${named.name}` : "Add Connection"}
      action="Save"
      isBusy={save.isBusy}
      canSubmit={isWhole && isRight}
      problem={save.problem}
      onSubmit={() => void save.run()}
      onClose={onClose}
    >
      <Text
        label="Name"
        hint="What it is called wherever a model can be chosen."
        error={isTaken ? "There is one of this name." : null}
        value={now.name}
        maxLength={80}
        disabled={named !== null}
        onText={(name) => put({ name })}
      />
      <Text
        label="Base URL"
        hint="Up to /v1: https, or http on this machine, such as http://127.0.0.1:11434/v1."
        type="url"
        value={now.connection.base_url}
        onText={(base_url) => at({ base_url: base_url.trim() })}
      />
      <Text
        label="Model"
        hint="As its service calls it; of a service that trains, any model that it knows."
        list={list}
        value={now.model}
        onText={(model) => put({ model })}
      />
      <datalist id={list}>
        {models.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <Text
        label="Variable with the key"
        hint="Name of an environment variable of the server; empty where no key is wanted."
        error={
          isKeyName
            ? null
            : "A name of capital letters, digits and underscores. Never put the key itself here."
        }
        className="rft-input rft-mono"
        value={key ?? ""}
        onText={(name) => at({ api_key_env: name.trim() || null })}
      />
      <details className="rft-models-more">
        <summary>Limits, prices, embeddings</summary>
        <div className="rft-form">
          <div className="rft-models-pair">
            <NumberField
              label="Requests at a time"
              value={now.concurrency}
              min={1}
              max={RULES.most_concurrency}
              onChange={(concurrency) => put({ concurrency })}
            />
            <Text
              label="Requests a minute"
              hint="Empty for no limit of ours."
              error={isLimit ? null : "A whole number above 0, or nothing."}
              inputMode="numeric"
              value={perMinute}
              onText={setPerMinute}
            />
          </div>
          <div className="rft-models-pair">
            {(["input", "output"] as const).map((side) => (
              <Text
                key={side}
                label={`Dollars a million ${side} tokens`}
                hint="Empty for the catalogue's price."
                error={readPrice(prices[side]) === undefined ? "An amount, or nothing." : null}
                inputMode="decimal"
                value={prices[side]}
                onText={(text) => setPrices({ ...prices, [side]: text })}
              />
            ))}
          </div>
          <Text
            label="Embedding model"
            hint="Embeds texts for topics and similarity; empty for none."
            list={list}
            value={now.embedding_model ?? ""}
            onText={(model) => put({ embedding_model: model.trim() || null })}
          />
          <NumberField
            label="Longest wait for an answer, in seconds"
            value={now.connection.timeout_s}
            min={1}
            max={RULES.most_timeout_s}
            onChange={(timeout_s) => at({ timeout_s })}
          />
          <CheckField
            label="The service takes a response schema"
            checked={now.connection.structured}
            onChange={(structured) => at({ structured })}
          />
        </div>
      </details>
    </FormDialog>
  );
}

interface TextProps extends InputHTMLAttributes<HTMLInputElement> {
  readonly label: string;
  readonly hint: string;
  readonly error?: string | null;
  onText(value: string): void;
}

function Text({ label, hint, error = null, onText, className = "rft-input", ...input }: TextProps) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(control) => (
        <input
          {...control}
          {...input}
          className={className}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => onText(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
