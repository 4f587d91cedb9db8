// A grader while it is written: its public JSON, edited piece by piece or as text.
import type { GraderProblem, GraderStart, GraderVersionView } from "../../contract.gen";

/** A grader's JSON. What stands in it came from a file or a person: read it with the functions below. */
export type GraderValue = Readonly<Record<string, unknown>>;
export type GraderType = GraderStart["type"];
/** An address, or the name of a connection; several for a panel, each judge at that of its model. */
export type JudgedAt = NonNullable<GraderVersionView["connection"]>;
export type Card = "judge" | "script" | "more";

export interface Draft {
  readonly grader: GraderValue;
  readonly connection: JudgedAt | null;
  /** What is typed while it is edited as JSON; it need not be JSON yet. */
  readonly text: string | null;
}

export const TYPE_TITLES: Readonly<Record<GraderType, string>> = {
  score_model: "LLM Judge",
  python: "Script",
  text_similarity: "Text similarity",
  string_check: "String check",
  label_model: "Label judge",
  multi: "Weighted combination",
};
const TYPES = Object.keys(TYPE_TITLES) as readonly GraderType[];
export const MORE_TYPES: readonly GraderType[] = [
  "multi",
  "text_similarity",
  "string_check",
  "label_model",
];
export const PART_TYPES: readonly GraderType[] = TYPES.filter((type) => type !== "multi");

export function typeOf(grader: GraderValue): GraderType | null {
  return TYPES.find((type) => type === grader.type) ?? null;
}

export function cardOf(grader: GraderValue): Card {
  if (grader.type === "score_model") return "judge";
  return grader.type === "python" ? "script" : "more";
}

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

export const numberOf = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;

export function objectOf(value: unknown): GraderValue | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as GraderValue)
    : null;
}

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The value with some keys changed; `undefined` takes a key away. */
export function changed(value: GraderValue, changes: GraderValue): GraderValue {
  return Object.fromEntries(
    Object.entries({ ...value, ...changes }).filter(([, one]) => one !== undefined),
  );
}

/** What the kernel is given. */
export const sourceOf = ({ grader, text }: Draft): string => text ?? JSON.stringify(grader);

export const asJson = (grader: GraderValue): string => JSON.stringify(grader, null, 2);

/** The grader that a text is; nothing where it is none. */
export function readJson(text: string): GraderValue | null {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return null;
  }
}

export function draftOf(saved: Pick<GraderVersionView, "grader" | "connection">): Draft {
  return { grader: saved.grader, connection: saved.connection, text: null };
}

/** Whether two drafts would be saved as the same grader, whatever the order of their keys. */
export function isSame(one: Draft, other: Draft): boolean {
  return stable(meant(one)) === stable(meant(other));
}

const meant = ({ grader, text, connection }: Draft) => [
  text === null ? grader : (readJson(text) ?? text),
  asksModel(grader) ? connection : null,
];

function stable(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    const object = objectOf(inner);
    if (!object) return inner;
    return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

export function asksModel(grader: GraderValue): boolean {
  const parts = grader.type === "multi" ? Object.values(objectOf(grader.graders) ?? {}) : [grader];
  return parts.some((part) => {
    const type = objectOf(part)?.type;
    return type === "score_model" || type === "label_model";
  });
}

/** The model of the first judge, for presets. */
export function modelOf(grader: GraderValue | null): string {
  return grader ? (modelsOf(grader)[0] ?? "") : "";
}

function modelsOf(grader: GraderValue): readonly string[] {
  const parts = grader.type === "multi" ? Object.values(objectOf(grader.graders) ?? {}) : [grader];
  const models = parts.map((part) => textOf(objectOf(part)?.model)).filter((model) => model !== "");
  return [...new Set(models)];
}

/** Its judges at another model; those of a panel, which differ, stay where they are. */
export function withModel(grader: GraderValue, model: string): GraderValue {
  const isPanel = modelsOf(grader).length > 1;
  const put = (part: GraderValue) => {
    const isJudge = part.type === "score_model" || part.type === "label_model";
    return isJudge && !(isPanel && textOf(part.model)) ? changed(part, { model }) : part;
  };
  if (grader.type !== "multi") return put(grader);
  const parts = Object.entries(objectOf(grader.graders) ?? {});
  const graders = Object.fromEntries(
    parts.map(([name, part]) => [name, put(objectOf(part) ?? {})]),
  );
  return changed(grader, { graders });
}

export const problemsAt = (problems: readonly GraderProblem[], where: string) =>
  problems.filter((problem) => problem.where === where);

/** Both what is wrong and what to do, as one text. */
export const wordsOf = ({ message, hint }: GraderProblem): string =>
  hint ? `${sentence(message)} ${hint}` : sentence(message);

function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

const SHOWN = /^(source|input|reference|model|range|labels|passing_labels|input\[\d+\]\.content)$/;

/** Problems that no field of the form shows; of a combination, `part` is the one that is open. */
export function unplaced(
  problems: readonly GraderProblem[],
  grader: GraderValue,
  part: string | null,
): readonly GraderProblem[] {
  const prefix = grader.type === "multi" ? `graders.${part}.` : "";
  return problems.filter(({ where }) => {
    if (where === "connection") return !asksModel(grader);
    if (grader.type === "multi" && where === "calculate_output") return false;
    return !(where.startsWith(prefix) && SHOWN.test(where.slice(prefix.length)));
  });
}
