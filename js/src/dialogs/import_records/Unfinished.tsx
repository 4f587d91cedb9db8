// Imports that were stopped or cut off. Knows nothing of Jupyter.
import type { ImportInfo } from "../../contract.gen";
import { Button } from "../../ui/Button";
import { counted } from "../../ui/numbers";
import { ago, exact } from "../../ui/time";

interface Props {
  readonly imports: readonly ImportInfo[];
  readonly isBusy: boolean;
  /** Go to where the file can be chosen again; left out where that is here. */
  readonly onResume?: () => void;
  onDiscard(id: string): void;
}

export function Unfinished({ imports, isBusy, onResume, onDiscard }: Props) {
  return imports.map((one) => (
    <div key={one.id} className="rft-warning rft-unfinished" role="status">
      <div>
        <strong className="rft-wrap">{`The import of ${one.source} did not come to its end.`}</strong>{" "}
        <span title={exact(one.updated_at)}>{`It stopped ${ago(one.updated_at)}`}</span>
        {` after ${counted(one.lines, "line")}. ${said(one)}`}
      </div>
      <div className="rft-row">
        {onResume && <Button onClick={onResume}>Resume</Button>}
        <Button isBusy={isBusy} onClick={() => onDiscard(one.id)}>
          Discard
        </Button>
      </div>
    </div>
  ));
}

function said(one: ImportInfo): string {
  const kept =
    one.mode === "append"
      ? `${counted(one.imported, "record")} of it ${one.imported === 1 ? "is" : "are"} here.`
      : "Nothing was replaced.";
  return one.fingerprint ? `${kept} Choose the same file again to go on.` : kept;
}
