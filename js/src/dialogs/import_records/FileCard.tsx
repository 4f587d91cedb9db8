// What a file holds, before it is imported. Knows nothing of Jupyter.
import { FileText } from "lucide-react";
import type { CheckedRecord, FileCheck, RecordCounts } from "../../contract.gen";
import { Badge, type Tone } from "../../ui/Badge";
import { bytes, count, counted } from "../../ui/numbers";
import { Stat, Stats } from "../../ui/Stat";

interface Props {
  readonly name: string;
  readonly size: number;
  readonly check: FileCheck;
  readonly counts: RecordCounts;
}

export function FileCard({ name, size, check, counts }: Props) {
  const isTraces = check.format !== "records";
  return (
    <section className="rft-card" aria-label="File">
      <div className="rft-row rft-file-head">
        <FileText size={18} aria-hidden />
        <strong className="rft-wrap">{name}</strong>
        <span className="rft-note">{bytes(size)}</span>
        {isTraces && <Badge tone="busy">{`${check.format} traces`}</Badge>}
      </div>
      <Stats>
        <Stat label={isTraces ? "Model calls" : "Records"} value={count(check.records)} />
        <Stat label="Valid" value={count(counts.valid)} />
        <Stat label="Invalid" value={count(counts.invalid)} />
        <Stat label="Duplicates" value={count(counts.duplicates)} note="among the invalid" />
        <Stat
          label="Refused lines"
          value={count(check.refused)}
          note={check.blank > 0 ? counted(check.blank, "blank line") : undefined}
        />
      </Stats>
      {check.lost_calls > 0 && (
        <p className="rft-note">
          {`${counted(check.lost_calls, "model call")} of the file cannot be read.`}
        </p>
      )}
    </section>
  );
}

/** What the faults of a file amount to, in words. */
export function Faults({ check, counts }: Pick<Props, "check" | "counts">) {
  const { faults, refusals } = check;
  if (counts.invalid === 0 && check.refused === 0) return null;
  const records = counts.invalid === 1 ? "record has" : "records have";
  return (
    <div className="rft-warning" role="status">
      {counts.invalid > 0 && (
        <strong>
          {`${count(counts.invalid)} ${records} validation errors. These will be excluded.`}
        </strong>
      )}
      <ul className="rft-plain-list">
        {faults.map(({ code, words, count: records }) => (
          <li key={code}>{`${words}: ${counted(records, "record")}`}</li>
        ))}
        {counts.duplicates > 0 && (
          <li>{`It repeats an earlier record: ${counted(counts.duplicates, "record")}`}</li>
        )}
        {refusals.map(({ code, words, count: lines }) => (
          <li key={code}>{`${words}: ${counted(lines, "line")} refused`}</li>
        ))}
      </ul>
    </div>
  );
}

const TONES: ReadonlyMap<string, Tone> = new Map([
  ["SYS", "idle"],
  ["USR", "busy"],
  ["AST", "ok"],
  ["TOOL", "warn"],
]);

export function Preview({ records }: { readonly records: readonly CheckedRecord[] }) {
  if (records.length === 0) return null;
  return (
    <section aria-label="First records">
      <h3 className="rft-section-title">{`First ${counted(records.length, "record")}`}</h3>
      <ol className="rft-preview">
        {records.map((record) => (
          <li key={record.line} className="rft-card">
            <span className="rft-note">{`Line ${count(record.line)}`}</span>
            {record.messages.map((message, index) => (
              <p key={index} className="rft-preview-line">
                <Badge tone={TONES.get(message.tag) ?? "bad"}>{`[${message.tag}]`}</Badge>
                <span className="rft-wrap">{message.text}</span>
              </p>
            ))}
            {record.more > 0 && <span className="rft-note">{`+${count(record.more)} more`}</span>}
            {record.issues.map((issue) => (
              <p key={issue} className="rft-preview-issue">
                {issue}
              </p>
            ))}
          </li>
        ))}
      </ol>
    </section>
  );
}
