// What can be done with a topic, at its row.
import * as Radix from "@radix-ui/react-dropdown-menu";
import { useRef } from "react";
import type { TopicRow } from "../../contract.gen";
import { usePortal } from "../../host/portal";
import { counted } from "../../ui/numbers";
import { type Move, stepOf } from "./tree";

/** Commands that ask for something first. */
export type Asked = "move" | "merge" | "split" | "describe" | "delete";

export interface TopicCommands {
  openRecords(path: string, onlyLow: boolean): void;
  rename(path: string): void;
  addBelow(path: string): void;
  move(path: string, to: Move): void;
  ask(what: Asked, path: string): void;
}

interface Props {
  readonly row: TopicRow;
  readonly rows: readonly TopicRow[];
  /** Why nothing can be edited now. */
  readonly frozen: string | null;
  readonly commands: TopicCommands;
  /** The menu has closed; whether the focus is to go back to the row. */
  onClose(isFocusBack: boolean): void;
}

interface Item {
  readonly label: string;
  readonly keys?: string;
  readonly isOff?: boolean;
  /** What gets the focus itself. */
  readonly takesFocus?: boolean;
  readonly isDangerous?: boolean;
  run(): void;
}

const MIN_SPLIT = 4; // records below which no leaf is divided

export function TopicMenu({ row, rows, frozen, commands, onClose }: Props) {
  const container = usePortal();
  const { path } = row;
  const isFocusBack = useRef(true);
  const step = (label: string, by: -1 | 1): Item => {
    const to = stepOf(rows, path, by);
    const run = () => to && commands.move(path, to);
    return { label, keys: by < 0 ? "Alt ↑" : "Alt ↓", isOff: !to, run };
  };
  const ask = (label: string, what: Asked, more: Partial<Item> = {}): Item => ({
    label,
    takesFocus: true,
    run: () => commands.ask(what, path),
    ...more,
  });
  const looking: readonly Item[] = [
    {
      label: `Open ${counted(row.records, "record")}`,
      isOff: row.records === 0,
      takesFocus: true,
      run: () => commands.openRecords(path, false),
    },
    {
      label: `Open ${row.low_confidence.toLocaleString("en-US")} with low confidence`,
      isOff: row.low_confidence === 0,
      takesFocus: true,
      run: () => commands.openRecords(path, true),
    },
  ];
  const editing: readonly Item[] = [
    { label: "Rename", keys: "F2", takesFocus: true, run: () => commands.rename(path) },
    { label: "Add subtopic", takesFocus: true, run: () => commands.addBelow(path) },
    ask("Move to…", "move"),
    step("Move up", -1),
    step("Move down", 1),
    ask("Merge into…", "merge", { isOff: rows.length < 2 }),
    ask("Split…", "split", { isOff: !row.is_leaf || row.records < MIN_SPLIT }),
    ask("Describe…", "describe"),
    ask("Delete…", "delete", { keys: "Del", isDangerous: true }),
  ];
  const show = ({ label, keys, isOff, takesFocus, isDangerous, run }: Item, off: boolean) => (
    <Radix.Item
      key={label}
      className={isDangerous ? "rft-menu-item rft-menu-danger" : "rft-menu-item"}
      disabled={off || isOff === true}
      onSelect={() => {
        isFocusBack.current = takesFocus !== true;
        run();
      }}
    >
      {label}
      {keys && <kbd className="rft-topic-keys">{keys}</kbd>}
    </Radix.Item>
  );
  return (
    <Radix.Root
      open
      modal={false}
      onOpenChange={(isOpen) => !isOpen && onClose(isFocusBack.current)}
    >
      <Radix.Trigger asChild>
        <button type="button" className="rft-topic-anchor" tabIndex={-1} aria-hidden>
          {row.name}
        </button>
      </Radix.Trigger>
      <Radix.Portal container={container}>
        <Radix.Content
          className="rft-menu"
          align="end"
          sideOffset={4}
          collisionPadding={8}
          onCloseAutoFocus={(event) => event.preventDefault()}
        >
          {looking.map((item) => show(item, false))}
          <Radix.Separator className="rft-topic-line" />
          {frozen && <Radix.Label className="rft-topic-frozen">{frozen}</Radix.Label>}
          {editing.map((item) => show(item, frozen !== null))}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
