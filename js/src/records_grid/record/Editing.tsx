// The parts of a record as JSON, checked while they are typed.
import { type RefObject, useMemo, useState } from "react";
import type { EditedRecord, RecordTexts, TextCheck } from "../../contract.gen";
import { useAction, useLoaded } from "../../host/loaded";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { CodeEditor } from "../../ui/CodeEditor";
import { count } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { Tabs } from "../../ui/Tabs";
import { useEscape } from "../../ui/useEscape";
import { useLeaving } from "../../ui/useLeaving";
import { useSettled } from "../../ui/useSettled";
import type { GridApi } from "../api";

type Part = keyof RecordTexts;

const PARTS: readonly (readonly [Part, string])[] = [
  ["messages", "Prompt"],
  ["output", "Answer"],
  ["tools", "Tools"],
  ["item", "Item"],
  ["metadata", "Metadata"],
];
const DEBOUNCE_MS = 300;

interface Props {
  readonly api: GridApi;
  readonly id: string;
  readonly pane: RefObject<HTMLElement | null>;
  onDone(): void;
  onCancel(): void;
}

export function Editing({ api, id, pane, onDone, onCancel }: Props) {
  const [turn, setTurn] = useState(0);
  const begun = useLoaded((signal) => api.beginEdit(id, signal), {
    revision: 0, // what others change meanwhile is told when this is saved
    subject: `${id} ${turn}`,
  });
  if (begun.problem) return <ProblemNote problem={begun.problem} onRetry={begun.reload} />;
  if (!begun.value) return <Skeleton lines={8} />;
  return (
    <Editor
      key={begun.value.version}
      {...{ api, id, pane, onDone, onCancel }}
      begun={begun.value}
      onReload={() => setTurn((before) => before + 1)}
    />
  );
}

interface EditorProps extends Props {
  readonly begun: EditedRecord;
  onReload(): void;
}

function Editor({ api, id, pane, begun, onDone, onCancel, onReload }: EditorProps) {
  const [texts, setTexts] = useState(begun.texts);
  const [version, setVersion] = useState(begun.version);
  const [part, setPart] = useState<Part>("messages");
  const isChanged = PARTS.some(([name]) => texts[name] !== begun.texts[name]);
  const { value: settled } = useSettled(texts, DEBOUNCE_MS);
  const checked = useLoaded<TextCheck>((signal) => api.checkEdit(id, settled, signal), {
    revision: 0,
    subject: useMemo(() => JSON.stringify(settled), [settled]),
  });
  const isCurrent = settled === texts && !checked.isLoading;
  const check = checked.value;
  const save = useAction(async () => {
    await api.saveEdit(id, version, texts);
    onDone();
  });
  const overwrite = async () => {
    const now = await api.beginEdit(id, new AbortController().signal);
    setVersion(now.version);
    save.clear();
  };

  const leaving = useLeaving(isChanged, "this record");
  const cancel = () => leaving.ask("Leave", onCancel);
  useEscape(pane, () => {
    if (!document.activeElement?.closest(".cm-editor")) cancel(); // which has a use for the key
  });
  const isStale = save.problem?.code === "stale_edit";
  return (
    <div className="rft-rec-editing">
      <Tabs<Part>
        label="Parts of the record"
        value={part}
        onChange={setPart}
        tabs={PARTS.map(([name, words]) => {
          const problems = check?.problems.filter((one) => one.part === name) ?? NONE;
          return {
            value: name,
            title: problems.length > 0 ? `${words} (!)` : words,
            body: (
              <CodeEditor
                language="json"
                label={`${words} as JSON`}
                value={texts[name]}
                problems={problems}
                minHeight={220}
                onChange={(text) => setTexts((before) => ({ ...before, [name]: text }))}
              />
            ),
          };
        })}
      />
      <div className="rft-rec-verdict" role="status">
        <Verdict check={isCurrent ? check : null} />
        {checked.problem && <span>{checked.problem.message}</span>}
      </div>
      {save.problem && <ProblemNote problem={save.problem} />}
      <footer className="rft-rec-foot">
        {isStale && (
          <>
            <Button onClick={onReload}>Load what is there now</Button>
            <Button onClick={() => void overwrite()}>Keep my text and save again</Button>
          </>
        )}
        <Button onClick={cancel}>Cancel</Button>
        <Button
          look="main"
          isBusy={save.isBusy}
          disabled={!isChanged || isStale || (isCurrent && (check?.problems.length ?? 0) > 0)}
          onClick={() => void save.run()}
        >
          Save
        </Button>
      </footer>
      {leaving.question}
    </div>
  );
}

const NONE: TextCheck["problems"] = [];

/** What validation will say of the record, once it is saved. */
function Verdict({ check }: { readonly check: TextCheck | null }) {
  if (!check) return <span className="rft-grid-faint">Checking…</span>;
  if (!check.check) return <Badge tone="bad">Cannot be saved</Badge>;
  const { issues, tokens } = check.check;
  return (
    <>
      <Badge tone={issues.length > 0 ? "warn" : "ok"}>
        {issues.length > 0 ? "Will be invalid" : "Will be valid"}
      </Badge>
      {issues.map((issue) => (
        <span key={issue.code}>{issue.message}</span>
      ))}
      <span className="rft-grid-faint">{count(tokens)} tokens</span>
    </>
  );
}
