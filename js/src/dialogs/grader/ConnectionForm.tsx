// Where a judge's model is asked. A key never comes here: only the name of what holds it.
import { Users } from "lucide-react";
import { useState } from "react";
import type { GraderProblem, ModelChoice, ModelConnection } from "../../contract.gen";
import { Button } from "../../ui/Button";
import { CheckField, Field } from "../../ui/Field";
import { ModelSelect } from "../../ui/ModelSelect";
import { type JudgedAt, problemsAt, wordsOf } from "./draft";

interface Props {
  readonly value: JudgedAt | null;
  /** Named connections; null until they are known. */
  readonly models: readonly ModelChoice[] | null;
  readonly problems: readonly GraderProblem[];
  /** What is missing before it can grade. */
  readonly missing: readonly string[];
  onChange(value: JudgedAt | null): void;
  onPanel(): void;
}

const NEW: ModelConnection = { base_url: "", api_key_env: null, timeout_s: 60, structured: true };

export function ConnectionForm({ value, models, problems, missing, onChange, onPanel }: Props) {
  const isNamed = typeof value === "string" || isSeveral(value);
  const error = isNamed ? (problemsAt(problems, "connection").map(wordsOf)[0] ?? null) : null;
  // Somebody who asked for the address form sees it, though it is empty still.
  const [isAddress, setAddress] = useState(false);
  const isForm = !isNamed && (value !== null || isAddress || models?.length === 0);
  return (
    <fieldset className="rft-card rft-grader-connection">
      <legend>Model connection</legend>
      {missing.map((words) => (
        <p key={words} className="rft-grader-missing" role="status">
          {words} It can be saved without; testing it takes one.
        </p>
      ))}
      {isSeveral(value) ? (
        <Seats value={value} models={models} onChange={onChange} />
      ) : (
        <ModelSelect
          label="Connection"
          value={typeof value === "string" ? value : null}
          choices={models}
          {...(isForm ? { none: "Another address, below" } : {})}
          note="A connection of this workspace. The judge asks its model."
          onChange={onChange}
        />
      )}
      {error !== null && (
        <p className="rft-grader-wrong" role="alert">
          {error}
        </p>
      )}
      {isForm && <Address value={isNamed ? null : value} problems={problems} onChange={onChange} />}
      <div className="rft-row">
        {!isNamed && !isForm && <Button onClick={() => setAddress(true)}>Use an Address…</Button>}
        <Button icon={<Users size={14} aria-hidden />} onClick={onPanel}>
          Make a Panel…
        </Button>
      </div>
    </fieldset>
  );
}

const isSeveral = (value: JudgedAt | null): value is readonly string[] => Array.isArray(value);

interface SeatsProps {
  readonly value: readonly string[];
  readonly models: readonly ModelChoice[] | null;
  onChange(value: JudgedAt | null): void;
}

/** The connections of a panel. */
function Seats({ value, models, onChange }: SeatsProps) {
  return (
    <>
      <p className="rft-note">Each judge is asked at the connection of its model.</p>
      <div className="rft-grader-row">
        {value.map((name, index) => (
          <ModelSelect
            key={name}
            label={`Connection ${index + 1}`}
            value={name}
            choices={models}
            none="Leave out"
            onChange={(next) => {
              const left = value.flatMap((one, at) => (at === index ? (next ?? []) : one));
              onChange(left.length > 1 ? [...new Set(left)] : (left[0] ?? null));
            }}
          />
        ))}
      </div>
    </>
  );
}

interface AddressProps {
  readonly value: ModelConnection | null;
  readonly problems: readonly GraderProblem[];
  onChange(value: ModelConnection | null): void;
}

/** A service without a name of its own. */
function Address({ value, problems, onChange }: AddressProps) {
  const now = value ?? NEW;
  const put = (changes: Partial<ModelConnection>) => {
    const next = { ...now, ...changes };
    onChange(next.base_url === "" && next.api_key_env === null ? null : next);
  };
  return (
    <>
      <div className="rft-grader-row">
        <Field
          label="Base URL"
          hint="Any service that speaks the OpenAI protocol, such as http://127.0.0.1:8000/v1."
          error={problemsAt(problems, "connection").map(wordsOf)[0] ?? null}
        >
          {(control) => (
            <input
              {...control}
              className="rft-input"
              type="url"
              spellCheck={false}
              value={now.base_url}
              onChange={(event) => put({ base_url: event.currentTarget.value.trim() })}
            />
          )}
        </Field>
        <Field
          label="Variable with the key"
          hint="Name of an environment variable of the kernel; empty for none. Never the key itself."
        >
          {(control) => (
            <input
              {...control}
              className="rft-input rft-mono"
              spellCheck={false}
              autoComplete="off"
              value={now.api_key_env ?? ""}
              onChange={(event) => put({ api_key_env: event.currentTarget.value.trim() || null })}
            />
          )}
        </Field>
      </div>
      <CheckField
        label="The service takes a response schema"
        checked={now.structured}
        onChange={(structured) => put({ structured })}
      />
    </>
  );
}
