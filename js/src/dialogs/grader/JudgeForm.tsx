// A model that judges: its messages, how it is sampled, and what it is asked to answer.
import { Plus, Trash2 } from "lucide-react";
import { SETTINGS } from "../../contract.gen";
import { Button, IconButton } from "../../ui/Button";
import { CodeEditor } from "../../ui/CodeEditor";
import { Field } from "../../ui/Field";
import {
  changed,
  type GraderValue,
  listOf,
  numberOf,
  objectOf,
  problemsAt,
  textOf,
  wordsOf,
} from "./draft";
import { type FormProps, marksAt } from "./Forms";

const ROLES = ["system", "developer", "user", "assistant"] as const;
const NO_OP = () => {};

export function JudgeForm(props: FormProps) {
  const { value, where, problems, onChange } = props;
  const params = objectOf(value.sampling_params) ?? {};
  const setParam = (changes: GraderValue) => {
    const next = changed(params, changes);
    const isEmpty = Object.keys(next).length === 0;
    onChange(changed(value, { sampling_params: isEmpty ? undefined : next }));
  };
  return (
    <div className="rft-grader-form">
      <Messages {...props} />
      <div className="rft-grader-row">
        <Field
          label="Model"
          hint="As its service calls it."
          error={problemsAt(problems, `${where}model`).map(wordsOf)[0] ?? null}
        >
          {(control) => (
            <input
              {...control}
              className="rft-input"
              value={textOf(value.model)}
              onChange={(event) => onChange(changed(value, { model: event.currentTarget.value }))}
            />
          )}
        </Field>
        <OptionalNumber
          label="Temperature"
          value={numberOf(params.temperature)}
          usual={SETTINGS.judge.temperature}
          min={0}
          max={2}
          step={0.1}
          onChange={(temperature) => setParam({ temperature })}
        />
        <OptionalNumber
          label="Max tokens"
          value={numberOf(params.max_completions_tokens)}
          usual={SETTINGS.judge.max_tokens}
          min={1}
          max={100_000}
          step={1}
          onChange={(tokens) => setParam({ max_completions_tokens: tokens })}
        />
      </div>
      {value.type === "label_model" ? <Labels {...props} /> : <ScoreRange {...props} />}
    </div>
  );
}

function Messages({ value, where, problems, completions, onChange }: FormProps) {
  const messages = listOf(value.input);
  const put = (next: readonly unknown[]) => onChange(changed(value, { input: next }));
  const set = (index: number, changes: GraderValue) =>
    put(messages.map((one, at) => (at === index ? changed(objectOf(one) ?? {}, changes) : one)));
  return (
    <div className="rft-grader-field">
      <span className="rft-label">Prompt</span>
      <span className="rft-field-note">
        {"What the judge is told. Type {{ for the names that a message may hold."}
      </span>
      {problemsAt(problems, `${where}input`).map((problem) => (
        <span key={problem.message} className="rft-field-note rft-grader-wrong" role="alert">
          {wordsOf(problem)}
        </span>
      ))}
      {messages.map((one, index) => {
        const message = objectOf(one) ?? {};
        const role = ROLES.find((known) => known === message.role) ?? "user";
        const isText = typeof message.content === "string";
        const title = `Message ${index + 1}, ${role}`;
        return (
          <section key={index} className="rft-grader-message" aria-label={title}>
            <header className="rft-row">
              <select
                className="rft-input rft-grader-role"
                aria-label={`Role of message ${index + 1}`}
                value={role}
                onChange={(event) => set(index, { role: event.currentTarget.value })}
              >
                {ROLES.map((known) => (
                  <option key={known}>{known}</option>
                ))}
              </select>
              <IconButton
                label={`Remove message ${index + 1}`}
                disabled={messages.length === 1}
                onClick={() => put(messages.filter((_, at) => at !== index))}
              >
                <Trash2 size={14} aria-hidden />
              </IconButton>
            </header>
            <CodeEditor
              value={isText ? textOf(message.content) : JSON.stringify(message.content, null, 2)}
              language={isText ? "text" : "json"}
              label={title}
              minHeight={72}
              readOnly={!isText}
              completions={completions}
              problems={marksAt(problems, `${where}input[${index}].content`)}
              onChange={(content) => set(index, { content })}
            />
            {!isText && (
              <span className="rft-field-note">It has several parts: edit it as JSON.</span>
            )}
          </section>
        );
      })}
      <div>
        <Button
          icon={<Plus size={14} aria-hidden />}
          onClick={() => put([...messages, { role: "user", content: "" }])}
        >
          Add Message
        </Button>
      </div>
    </div>
  );
}

function ScoreRange({ value, where, problems, schema, onChange }: FormProps) {
  const [low, high] = [
    numberOf(listOf(value.range)[0]) ?? 0,
    numberOf(listOf(value.range)[1]) ?? 1,
  ];
  const error = problemsAt(problems, `${where}range`).map(wordsOf)[0] ?? null;
  const bound = (label: string, now: number, set: (next: number) => readonly [number, number]) => (
    <Field label={label} error={error} hint="Scores are brought to 0..1 from here.">
      {(control) => (
        <input
          {...control}
          type="number"
          step="any"
          className="rft-input"
          value={now}
          onChange={(event) => {
            const next = event.currentTarget.valueAsNumber;
            if (Number.isFinite(next)) onChange(changed(value, { range: set(next) }));
          }}
        />
      )}
    </Field>
  );
  return (
    <div className="rft-grader-row">
      {bound("Lowest score", low, (next) => [next, high])}
      {bound("Highest score", high, (next) => [low, next])}
      <details className="rft-grader-schema">
        <summary>Output schema</summary>
        <CodeEditor
          value={schema}
          language="json"
          label="Output schema"
          readOnly
          minHeight={48}
          onChange={NO_OP}
        />
      </details>
    </div>
  );
}

function Labels({ value, where, problems, onChange }: FormProps) {
  const list = (name: "labels" | "passing_labels", label: string, hint: string) => (
    <Field
      label={label}
      hint={hint}
      error={problemsAt(problems, `${where}${name}`).map(wordsOf)[0] ?? null}
    >
      {(control) => (
        <input
          {...control}
          className="rft-input"
          key={listOf(value[name]).join("\n")}
          defaultValue={listOf(value[name]).map(textOf).join(", ")}
          onBlur={(event) => {
            const labels = event.currentTarget.value.split(",").map((one) => one.trim());
            onChange(changed(value, { [name]: labels.filter((one) => one !== "") }));
          }}
        />
      )}
    </Field>
  );
  return (
    <div className="rft-grader-row">
      {list("labels", "Labels", "Two or more, separated by commas.")}
      {list("passing_labels", "Labels that pass", "They score 1, the others 0.")}
    </div>
  );
}

interface NumberProps {
  readonly label: string;
  readonly value: number | null;
  /** What counts where nothing is given. */
  readonly usual: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  onChange(value: number | undefined): void;
}

function OptionalNumber({ label, value, usual, onChange, ...bounds }: NumberProps) {
  return (
    <Field label={label} hint={`${usual} unless given.`}>
      {(control) => (
        <input
          {...control}
          {...bounds}
          type="number"
          className="rft-input"
          placeholder={String(usual)}
          value={value ?? ""}
          onChange={(event) => {
            const next = event.currentTarget.valueAsNumber;
            onChange(Number.isFinite(next) ? next : undefined);
          }}
        />
      )}
    </Field>
  );
}
