// The edits of a record, the newest first.
import type { ShownEdit } from "../../contract.gen";
import { ago, exact } from "../../ui/time";

const WORDS = new Map([
  ["input", "the prompt"],
  ["output", "the answer"],
  ["item", "the item"],
  ["metadata", "the metadata"],
]);

export function History({ edits }: { readonly edits: readonly ShownEdit[] }) {
  if (edits.length === 0) return <p className="rft-note">It was never edited.</p>;
  return (
    <ol className="rft-rec-history">
      {edits.map((edit) => (
        <li key={edit.version}>
          <span title={exact(edit.at)}>{ago(edit.at)}</span>
          <span>{edit.parts.map((part) => WORDS.get(part) ?? part).join(", ") || "nothing"}</span>
          <span className="rft-grid-faint">
            version {edit.version} to {edit.version + 1}
          </span>
        </li>
      ))}
    </ol>
  );
}
