// The form of one grader: a judge, a script, or a comparison of two texts.
import { type GraderProblem, SETTINGS } from "../../contract.gen";
import { CodeEditor, type Completion } from "../../ui/CodeEditor";
import { ChoiceField, Field } from "../../ui/Field";
import { changed, type GraderValue, problemsAt, textOf, typeOf, wordsOf } from "./draft";
import { JudgeForm } from "./JudgeForm";

export interface FormProps {
  readonly value: GraderValue;
  /** Path of this grader in what is saved, with a dot at its end; empty for the whole. */
  readonly where: string;
  readonly problems: readonly GraderProblem[];
  readonly completions: readonly Completion[];
  /** What a judge is asked to answer. */
  readonly schema: string;
  onChange(value: GraderValue): void;
}

export function SingleForm(props: FormProps) {
  const type = typeOf(props.value);
  if (type === "python") return <ScriptForm {...props} />;
  if (type === "score_model" || type === "label_model") return <JudgeForm {...props} />;
  if (type === "text_similarity" || type === "string_check") return <TextForm {...props} />;
  return (
    <p className="rft-note">
      There is no form for this type of grader. Edit it as JSON, or choose another card.
    </p>
  );
}

/** What is wrong with a field, for the editor of its text. */
export function marksAt(problems: readonly GraderProblem[], where: string) {
  return problemsAt(problems, where).map((problem) => ({
    message: wordsOf(problem),
    line: problem.line,
    column: problem.column,
  }));
}

const PYTHON_NAMES: readonly Completion[] = [
  { label: 'sample["output_text"]', detail: "text of the answer" },
  { label: 'sample["output_json"]', detail: "the answer, read as JSON" },
  { label: 'sample["output_tools"]', detail: "tool calls of the answer" },
  { label: 'sample["choices"]', detail: "the answer as a chat completion" },
  { label: 'item["messages"]', detail: "the conversation before the answer" },
];

function ScriptForm({ value, where, problems, completions, onChange }: FormProps) {
  const fields = completions.filter(
    ({ label }) => label.startsWith("item.") || label.startsWith("item["),
  );
  const names = fields.map(({ label, detail }) => {
    const name = label.startsWith("item.") ? `item["${label.slice(5)}"]` : label;
    return detail === undefined ? { label: name } : { label: name, detail };
  });
  return (
    <div className="rft-grader-field">
      <span className="rft-label">Script</span>
      <span className="rft-field-note">
        <code>grade(sample, item)</code> gives the score of one answer, 0..1. It runs confined: no
        files, no network, {SETTINGS.sandbox.timeout_s} seconds an answer.
      </span>
      <CodeEditor
        value={textOf(value.source)}
        language="python"
        label="Script"
        minHeight={220}
        completions={[...names, ...PYTHON_NAMES]}
        problems={marksAt(problems, `${where}source`)}
        onChange={(source) => onChange(changed(value, { source }))}
      />
    </div>
  );
}

const METRICS = [
  ["fuzzy_match", "Fuzzy match"],
  ["bleu", "BLEU"],
  ["gleu", "GLEU"],
  ["meteor", "METEOR"],
  ["rouge_1", "ROUGE-1"],
  ["rouge_2", "ROUGE-2"],
  ["rouge_3", "ROUGE-3"],
  ["rouge_4", "ROUGE-4"],
  ["rouge_5", "ROUGE-5"],
  ["rouge_l", "ROUGE-L"],
  ["cosine", "Cosine (needs an embedding model: not configured)"],
] as const;

const OPERATIONS = [
  ["eq", "equals the reference"],
  ["ne", "differs from the reference"],
  ["like", "contains the reference"],
  ["ilike", "contains the reference, whatever the case"],
] as const;

function TextForm({ value, where, problems, completions, onChange }: FormProps) {
  const isSimilarity = value.type === "text_similarity";
  const template = (name: "input" | "reference", title: string, hint: string) => (
    <div className="rft-grader-field">
      <span className="rft-label">{title}</span>
      <span className="rft-field-note">{hint}</span>
      <CodeEditor
        value={textOf(value[name])}
        language="text"
        label={title}
        minHeight={48}
        completions={completions}
        problems={marksAt(problems, `${where}${name}`)}
        onChange={(text) => onChange(changed(value, { [name]: text }))}
      />
    </div>
  );
  return (
    <div className="rft-grader-form">
      {isSimilarity ? (
        <ChoiceField
          label="Metric"
          value={METRICS.find(([metric]) => metric === value.evaluation_metric)?.[0] ?? "rouge_l"}
          options={METRICS}
          onChange={(metric) => onChange(changed(value, { evaluation_metric: metric }))}
        />
      ) : (
        <ChoiceField
          label="The answer scores 1 where the input"
          value={OPERATIONS.find(([one]) => one === value.operation)?.[0] ?? "eq"}
          options={OPERATIONS}
          onChange={(operation) => onChange(changed(value, { operation }))}
        />
      )}
      {template("input", "Input", "What is judged; type {{ for the names there are.")}
      {template("reference", "Reference", "What it is held against.")}
    </div>
  );
}

export function NameField({ value, onChange }: Pick<FormProps, "value" | "onChange">) {
  return (
    <Field label="Name" hint="Shown in results.">
      {(control) => (
        <input
          {...control}
          className="rft-input"
          value={textOf(value.name)}
          maxLength={100}
          onChange={(event) =>
            onChange(changed(value, { name: event.currentTarget.value || undefined }))
          }
        />
      )}
    </Field>
  );
}
