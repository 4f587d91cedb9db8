// Which file the records are taken away as. Knows nothing of Jupyter.
import { useId, useState } from "react";
import type { OverviewCalls } from "../contract.gen";
import { Button } from "../ui/Button";
import { counted } from "../ui/numbers";
import { SmallDialog } from "../ui/SmallDialog";

export type RecordsFormat = OverviewCalls["download_records"]["params"]["file_format"];

const FORMATS: readonly (readonly [value: RecordsFormat, title: string, text: string])[] = [
  ["jsonl", "JSONL", "All records, one a line. Imports to the same records again."],
  [
    "training",
    "Training JSONL",
    "Valid records as training services take them: the prompt, and the fields for the grader.",
  ],
  ["csv", "CSV", "All records, a row each, for a spreadsheet or pandas."],
];

interface Props {
  readonly total: number;
  readonly valid: number;
  onDownload(format: RecordsFormat): void;
  onClose(): void;
}

export function DownloadDialog({ total, valid, onDownload, onClose }: Props) {
  const [format, setFormat] = useState<RecordsFormat>("jsonl");
  const name = useId();
  const records = format === "training" ? valid : total;
  return (
    <SmallDialog
      title="Download Records"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="main" disabled={records === 0} onClick={() => onDownload(format)}>
            {`Download ${counted(records, "Record")}`}
          </Button>
        </>
      }
    >
      <fieldset className="rft-modes">
        <legend className="rft-section-title">Format</legend>
        {FORMATS.map(([value, title, text]) => (
          <label
            key={value}
            className={value === format ? "rft-card rft-mode rft-mode-chosen" : "rft-card rft-mode"}
          >
            <input
              type="radio"
              name={name}
              checked={value === format}
              onChange={() => setFormat(value)}
            />
            <span>
              <strong>{title}</strong>
              <span className="rft-mode-text">{text}</span>
            </span>
          </label>
        ))}
      </fieldset>
    </SmallDialog>
  );
}
