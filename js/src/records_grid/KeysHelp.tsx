// The keys of the table, listed.
import { SmallDialog } from "../ui/SmallDialog";

const KEYS: readonly (readonly [keys: readonly string[], words: string])[] = [
  [["j", "↓"], "Next record"],
  [["k", "↑"], "Previous record"],
  [["Page Down", "Page Up"], "A page on, a page back"],
  [["Home", "End"], "First record, last record"],
  [["Enter"], "Open the record"],
  [["Esc"], "Back to the table"],
  [["x", "Space"], "Select the record, or not"],
  [["Shift+x"], "Select from the last selected one to here"],
  [["Ctrl+a"], "Select all records of the filter"],
  [["/"], "Search"],
  [["?"], "These keys"],
];

export function KeysHelp({ onClose }: { onClose(): void }) {
  return (
    <SmallDialog title="Keys of the table" onClose={onClose}>
      <dl className="rft-grid-keys">
        {KEYS.map(([keys, words]) => (
          <div key={words}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </SmallDialog>
  );
}
