// Under the table: how much is there, or what can be done with what is selected.
import { Download, FlaskConical, Keyboard, Sparkles, Tag, Trash2 } from "lucide-react";
import { Button, IconButton } from "../ui/Button";
import { Menu } from "../ui/Menu";
import { count, counted } from "../ui/numbers";
import type { FileFormat } from "./api";

export type BulkAction = "assign" | "evaluate" | "generate" | "delete";

interface Props {
  readonly total: number;
  readonly isExact: boolean;
  readonly everything: number;
  /** Selected records; `null` while they are being counted, nothing where none is. */
  readonly picked: number | null | undefined;
  readonly isAllPicked: boolean;
  readonly isBusy: boolean;
  readonly isExporting: boolean;
  onPickAll(): void;
  onClear(): void;
  onAction(action: BulkAction): void;
  onExport(format: FileFormat): void;
  onHelp(): void;
}

const FORMATS: readonly (readonly [FileFormat, string])[] = [
  ["jsonl", "Records (JSONL)"],
  ["training", "Training file (JSONL)"],
  ["csv", "Table (CSV)"],
];

export function Footer(props: Props) {
  const { total, isExact, everything, picked, isBusy } = props;
  const matches = isExact ? count(total) : `${count(total)}+`;
  return (
    <footer className="rft-grid-foot">
      <div className="rft-grid-picks">
        <span className="rft-grid-count" role="status">
          {picked === undefined
            ? `${matches} of ${counted(everything, "record")}`
            : picked === null
              ? "Counting…"
              : `${count(picked)} selected`}
        </span>
        {picked === undefined && !isExact && (
          <span className="rft-grid-faint">
            The first {count(total)} are listed; search for more words to narrow it.
          </span>
        )}
        {picked !== undefined && (
          <Button look="ghost" onClick={props.onClear}>
            Clear Selection
          </Button>
        )}
        {picked !== undefined && !props.isAllPicked && (
          <Button look="ghost" onClick={props.onPickAll}>
            Select all {matches}
          </Button>
        )}
      </div>
      <div className="rft-grid-acts">
        {picked !== undefined && <Actions {...props} isBusy={isBusy || picked === 0} />}
        <IconButton label="Keys of the table (?)" onClick={props.onHelp}>
          <Keyboard size={15} aria-hidden />
        </IconButton>
      </div>
    </footer>
  );
}

function Actions({ isBusy, isExporting, onAction, onExport }: Props) {
  return (
    <>
      <Button
        icon={<Tag size={13} aria-hidden />}
        disabled={isBusy}
        onClick={() => onAction("assign")}
      >
        Assign Topic
      </Button>
      <Button
        icon={<FlaskConical size={13} aria-hidden />}
        disabled={isBusy}
        onClick={() => onAction("evaluate")}
      >
        Evaluate
      </Button>
      <Button
        icon={<Sparkles size={13} aria-hidden />}
        disabled={isBusy}
        onClick={() => onAction("generate")}
      >
        Generate from Selected
      </Button>
      <Menu items={FORMATS.map(([format, label]) => ({ label, onSelect: () => onExport(format) }))}>
        <Button icon={<Download size={13} aria-hidden />} disabled={isBusy} isBusy={isExporting}>
          Export
        </Button>
      </Menu>
      <Button
        look="danger"
        icon={<Trash2 size={13} aria-hidden />}
        disabled={isBusy}
        onClick={() => onAction("delete")}
      >
        Delete Selected
      </Button>
    </>
  );
}
