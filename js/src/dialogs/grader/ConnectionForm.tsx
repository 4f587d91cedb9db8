// Where a judge's model is asked. A key never comes here: only the name of what holds it.
import type { GraderProblem, ModelConnection } from "../../contract.gen";
import { CheckField, Field } from "../../ui/Field";
import { problemsAt, wordsOf } from "./draft";

interface Props {
  readonly value: ModelConnection | null;
  readonly problems: readonly GraderProblem[];
  /** What is missing before it can grade. */
  readonly missing: readonly string[];
  onChange(value: ModelConnection | null): void;
}

const NEW: ModelConnection = { base_url: "", api_key_env: null, timeout_s: 60, structured: true };

export function ConnectionForm({ value, problems, missing, onChange }: Props) {
  const now = value ?? NEW;
  const put = (changes: Partial<ModelConnection>) => {
    const next = { ...now, ...changes };
    onChange(next.base_url === "" && next.api_key_env === null ? null : next);
  };
  return (
    <fieldset className="rft-card rft-grader-connection">
      <legend>Model connection</legend>
      {missing.map((words) => (
        <p key={words} className="rft-grader-missing" role="status">
          {words} It can be saved without; testing it takes one.
        </p>
      ))}
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
    </fieldset>
  );
}
