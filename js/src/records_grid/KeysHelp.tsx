// The keys of the table, listed.
import * as Radix from "@radix-ui/react-dialog";
import { X } from "lucide-react";
import { usePortal } from "../host/portal";

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
  const container = usePortal();
  return (
    <Radix.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Radix.Portal container={container}>
        <Radix.Overlay className="rft-backdrop rft-backdrop-high">
          <Radix.Content className="rft-overlay rft-confirm" aria-describedby={undefined}>
            <div className="rft-grid-keyshead">
              <Radix.Title className="rft-dialog-title">Keys of the table</Radix.Title>
              <Radix.Close className="rft-icon-button" aria-label="Close">
                <X size={16} aria-hidden />
              </Radix.Close>
            </div>
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
          </Radix.Content>
        </Radix.Overlay>
      </Radix.Portal>
    </Radix.Root>
  );
}
