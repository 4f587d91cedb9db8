// The cards, and the form of the one that is chosen; or the whole grader as JSON.
import { Braces, FileCode2, Gavel, Layers } from "lucide-react";
import { useState } from "react";
import type { GraderCheck, GraderView, ModelChoice } from "../../contract.gen";
import { Button } from "../../ui/Button";
import { CodeEditor, type Completion } from "../../ui/CodeEditor";
import { ChoiceField } from "../../ui/Field";
import { ConnectionForm } from "./ConnectionForm";
import {
  asJson,
  asksModel,
  type Card,
  cardOf,
  type Draft,
  type GraderType,
  type GraderValue,
  type JudgedAt,
  MORE_TYPES,
  objectOf,
  readJson,
  TYPE_TITLES,
  typeOf,
  unplaced,
  withModel,
  wordsOf,
} from "./draft";
import { NameField, SingleForm } from "./Forms";
import { placedInJson } from "./jsonPlaces";
import { firstPart, WeightedForm } from "./WeightedForm";

interface Props {
  readonly draft: Draft | null;
  readonly view: GraderView;
  readonly check: GraderCheck | null;
  readonly completions: readonly Completion[];
  readonly models: readonly ModelChoice[] | null;
  onChange(draft: Draft): void;
  onChoose(type: GraderType): void;
  onPresets(): void;
  onPanel(): void;
}

const CARDS: readonly (readonly [Card, GraderType, string, string, typeof Gavel])[] = [
  ["judge", "score_model", "LLM Judge", "A model reads the answer and scores it.", Gavel],
  ["script", "python", "Script", "Python of yours computes the score.", FileCode2],
  ["more", "multi", "More", "Similarity, string check, weighted.", Layers],
];

export function GraderEditor(props: Props) {
  const { draft, check, onChange, onChoose, onPresets } = props;
  const chosen = draft && cardOf(draft.grader);
  return (
    <>
      <fieldset className="rft-grader-cards">
        <legend className="rft-hidden">How answers are judged</legend>
        {CARDS.map(([card, type, title, words, Icon]) => (
          <button
            key={card}
            type="button"
            aria-pressed={chosen === card}
            className="rft-grader-card"
            onClick={() => chosen !== card && onChoose(type)}
          >
            <Icon size={18} aria-hidden />
            <span>
              <strong>{title}</strong>
              <small>{words}</small>
            </span>
          </button>
        ))}
      </fieldset>
      <div className="rft-row rft-grader-bar">
        <Button onClick={onPresets}>Presets…</Button>
        {draft && <Way draft={draft} onChange={onChange} />}
      </div>
      {!draft && (
        <p className="rft-note">
          Choose how answers are judged, start from a preset, or import a grader. Nothing is saved
          until you save it.
        </p>
      )}
      {draft?.text != null && (
        <CodeEditor
          value={draft.text}
          language="json"
          label="Grader as JSON"
          minHeight={260}
          completions={props.completions}
          problems={check ? placedInJson(draft.text, check.problems) : []}
          onChange={(text) => onChange({ ...draft, text, grader: readJson(text) ?? draft.grader })}
        />
      )}
      {draft && draft.text === null && <Form {...props} draft={draft} />}
      {draft && asksModel(draft.grader) && (
        <ConnectionForm
          value={draft.connection}
          models={props.models}
          problems={check?.problems ?? []}
          missing={check?.missing ?? []}
          onChange={(connection) => onChange(asked(draft, connection, props.models))}
          onPanel={props.onPanel}
        />
      )}
      {draft &&
        !asksModel(draft.grader) &&
        check?.missing.map((words) => (
          <p key={words} className="rft-grader-missing" role="status">
            {words}
          </p>
        ))}
    </>
  );
}

/** Asked elsewhere: at a named connection, of the model that is there. */
function asked(draft: Draft, connection: JudgedAt | null, models: Props["models"]): Draft {
  const named = models?.find(({ name }) => name === connection);
  if (!named) return { ...draft, connection };
  const grader = withModel(draft.grader, named.model);
  return { grader, connection, text: draft.text === null ? null : asJson(grader) };
}

/** Form or JSON: two ways to write the same grader. */
function Way({ draft, onChange }: { readonly draft: Draft; onChange(draft: Draft): void }) {
  const isJson = draft.text !== null;
  const read = isJson ? readJson(draft.text) : null;
  return (
    <fieldset className="rft-row rft-grader-way">
      <legend className="rft-hidden">Written as</legend>
      <Button
        aria-pressed={!isJson}
        disabled={isJson && (!read || !typeOf(read))}
        title={isJson && !read ? "It is no JSON object yet." : undefined}
        onClick={() => onChange({ ...draft, text: null })}
      >
        Form
      </Button>
      <Button
        aria-pressed={isJson}
        icon={<Braces size={14} aria-hidden />}
        onClick={() => !isJson && onChange({ ...draft, text: asJson(draft.grader) })}
      >
        As JSON
      </Button>
    </fieldset>
  );
}

function Form({ draft, view, check, completions, onChange, onChoose }: Props & { draft: Draft }) {
  const { grader } = draft;
  const [picked, setPicked] = useState<string | null>(null);
  const known = picked !== null && Object.hasOwn(objectOf(grader.graders) ?? {}, picked);
  const part = known ? picked : firstPart(grader);
  const problems = check?.problems ?? [];
  const type = typeOf(grader);
  const put = (next: GraderValue) => onChange({ ...draft, grader: next });
  const form = {
    ...{ value: grader, problems, completions, schema: view.schema, onChange: put },
  };
  return (
    <div className="rft-grader-form">
      <div className="rft-grader-row">
        {type && MORE_TYPES.includes(type) && (
          <ChoiceField
            label="Type"
            value={type}
            options={MORE_TYPES.map((one) => [one, TYPE_TITLES[one]] as const)}
            onChange={onChoose}
          />
        )}
        <NameField value={grader} onChange={put} />
      </div>
      {type === "multi" ? (
        <WeightedForm {...form} where="" starts={view.starts} part={part} onPart={setPicked} />
      ) : (
        <SingleForm {...form} where="" />
      )}
      {unplaced(problems, grader, part).map((problem) => (
        <p key={problem.where + problem.message} className="rft-grader-wrong" role="alert">
          {problem.where && <span className="rft-mono">{problem.where}: </span>}
          {wordsOf(problem)}
        </p>
      ))}
    </div>
  );
}
