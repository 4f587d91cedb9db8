// What an edit of a topic asks for first: where to, into what, which words.
import { useState } from "react";
import type { TopicRow } from "../../contract.gen";
import { Field } from "../../ui/Field";
import { FormDialog } from "../../ui/FormDialog";
import { count, counted } from "../../ui/numbers";
import type { Asked } from "./TopicMenu";
import { type Choice, TopicPicker } from "./TopicPicker";
import { isWithin, parentOf } from "./tree";
import type { Edits } from "./useEdits";

interface Props {
  readonly what: Asked;
  readonly row: TopicRow;
  readonly rows: readonly TopicRow[];
  readonly edits: Edits;
  /** The edit was done, and where the topic is found now. */
  onDone(path: string): void;
  onClose(): void;
  onClosed(): void;
}

export function Ask(props: Props) {
  const { what, row } = props;
  if (what === "describe") return <Describe {...props} />;
  if (what === "split") return <Split {...props} />;
  const asked = ASKED[what];
  return <Choose {...props} {...asked} title={asked.title(row.name)} />;
}

const choice = ({ path, records }: TopicRow): Choice => ({
  path,
  words: path.replaceAll("/", " / "),
  note: count(records),
});

interface Asking {
  title(name: string): string;
  readonly label: string;
  readonly action: string;
  choices(row: TopicRow, rows: readonly TopicRow[]): readonly Choice[];
  hint(row: TopicRow, chosen: TopicRow | undefined): string;
  run(edits: Edits, path: string, chosen: string): Promise<string | null>;
}

const ASKED: Readonly<Record<"move" | "merge" | "delete", Asking>> = {
  move: {
    title: (name) => `Move “${name}” to…`,
    label: "New parent",
    action: "Move",
    choices: (row, rows) => [
      ...(parentOf(row.path) === "" ? [] : [{ path: "", words: "Top level" }]),
      ...rows
        .filter((one) => !isWithin(one.path, row.path) && one.path !== parentOf(row.path))
        .map(choice),
    ],
    hint: (_, chosen) => (chosen ? restHint(chosen) : ""),
    run: (edits, path, parent) => edits.move(path, { parent, position: null }),
  },
  merge: {
    title: (name) => `Merge “${name}” into…`,
    label: "Into",
    action: "Merge",
    choices: (row, rows) =>
      rows
        .filter((one) => !isWithin(one.path, row.path) && !isWithin(row.path, one.path))
        .map(choice),
    hint: (row, chosen) =>
      chosen
        ? `${counted(row.records, "record")} of “${row.name}” go to “${chosen.name}”, which keeps its name.`
        : "",
    run: (edits, path, into) => edits.merge(path, into),
  },
  delete: {
    title: (name) => `Delete “${name}”`,
    label: "Its records go to",
    action: "Delete",
    choices: (row, rows) => [
      { path: "", words: "No topic: they become unlabeled and remember this one" },
      ...rows.filter((one) => one.is_leaf && !isWithin(one.path, row.path)).map(choice),
    ],
    hint: (row, chosen) => {
      const what = row.is_leaf ? "" : " and all topics below it";
      const where = chosen ? `go to “${chosen.name}”` : "become unlabeled";
      return `“${row.name}”${what} will be gone; ${counted(row.records, "record")} ${where}.`;
    },
    run: (edits, path, into) => edits.remove(path, into === "" ? null : into),
  },
};

/** A leaf with records that gets others below it. */
const restHint = (row: TopicRow): string =>
  row.is_leaf && row.records > 0
    ? `${counted(row.records, "record")} of “${row.name}” go to a new topic “General” below it.`
    : "";

function Choose(props: Props & Omit<Asking, "title"> & { readonly title: string }) {
  const { what, row, rows, edits, title, label, action, choices, hint, run } = props;
  const { onDone, onClose, onClosed } = props;
  const [chosen, setChosen] = useState<string | null>(what === "delete" ? "" : null);
  const offered = choices(row, rows);
  const isThere = offered.some((one) => one.path === chosen);
  const words = hint(
    row,
    rows.find((one) => one.path === chosen),
  );
  return (
    <FormDialog
      title={title}
      action={action}
      isDangerous={what === "delete"}
      isBusy={edits.isBusy}
      canSubmit={isThere}
      problem={edits.problem}
      onSubmit={async () => {
        const path = await run(edits, row.path, chosen ?? "");
        if (path !== null) onDone(path);
      }}
      onClose={onClose}
      onClosed={onClosed}
    >
      <span className="rft-label">{label}</span>
      <TopicPicker label={label} choices={offered} chosen={chosen} onChoose={setChosen} />
      <p className="rft-note">{words || " "}</p>
    </FormDialog>
  );
}

function Describe({ row, edits, onDone, onClose, onClosed }: Props) {
  const [description, setDescription] = useState(row.description);
  const [keywords, setKeywords] = useState(row.keywords.join(", "));
  return (
    <FormDialog
      title={`Describe “${row.name}”`}
      action="Save"
      isBusy={edits.isBusy}
      problem={edits.problem}
      onSubmit={async () => {
        const words = keywords.split(/[,\n]/).map((word) => word.trim());
        const kept = [...new Set(words.filter(Boolean))];
        const path = await edits.describe(row.path, description.trim(), kept);
        if (path !== null) onDone(path);
      }}
      onClose={onClose}
      onClosed={onClosed}
    >
      <Field label="Description" hint="What belongs to it, in a sentence.">
        {(control) => (
          <textarea
            {...control}
            className="rft-input"
            value={description}
            maxLength={4_000}
            onChange={(event) => setDescription(event.currentTarget.value)}
          />
        )}
      </Field>
      <Field label="Keywords" hint="Words and phrases that point to it, with commas between.">
        {(control) => (
          <textarea
            {...control}
            className="rft-input"
            value={keywords}
            maxLength={8_000}
            onChange={(event) => setKeywords(event.currentTarget.value)}
          />
        )}
      </Field>
    </FormDialog>
  );
}

function Split({ row, edits, onDone, onClose, onClosed }: Props) {
  const [parts, setParts] = useState("");
  const number = parts.trim() === "" ? null : Number(parts);
  const isFine = number === null || (Number.isInteger(number) && number >= 2);
  return (
    <FormDialog
      title={`Split “${row.name}”`}
      action="Split"
      isBusy={edits.isBusy}
      canSubmit={isFine}
      problem={edits.problem}
      onSubmit={async () => {
        const path = await edits.split(row.path, number);
        if (path !== null) onDone(path);
      }}
      onClose={onClose}
      onClosed={onClosed}
    >
      <p className="rft-note">
        {`Topics are found in its ${counted(row.records, "record")}, and these put under them.`}
      </p>
      <Field
        label="Number of topics"
        hint="Leave it empty for the number that fits the records."
        error={isFine ? null : "A whole number from 2 on, or nothing."}
      >
        {(control) => (
          <input
            {...control}
            className="rft-input"
            inputMode="numeric"
            value={parts}
            onChange={(event) => setParts(event.currentTarget.value)}
          />
        )}
      </Field>
    </FormDialog>
  );
}
