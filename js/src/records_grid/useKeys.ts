// What the keys do in the table.
import type { KeyboardEvent } from "react";

export interface KeyCommands {
  /** Rows that are in sight. */
  readonly page: number;
  readonly active: number;
  readonly total: number;
  go(index: number): void;
  open(index: number): void;
  pick(index: number, isRange: boolean): void;
  pickAll(): void;
  search(): void;
  help(): void;
}

export function onGridKey(event: KeyboardEvent, commands: KeyCommands): void {
  const { active, total, page } = commands;
  const command = commandOf(event);
  if (!command) return;
  event.preventDefault();
  event.stopPropagation();
  const steps = new Map([
    ["next", active + 1],
    ["previous", active - 1],
    ["page-on", active + page],
    ["page-back", active - page],
    ["first", 0],
    ["last", total - 1],
  ]);
  const to = steps.get(command);
  if (to !== undefined) commands.go(Math.min(Math.max(to, 0), Math.max(total - 1, 0)));
  else if (command === "open") commands.open(active);
  else if (command === "pick") commands.pick(active, event.shiftKey);
  else if (command === "all") commands.pickAll();
  else if (command === "search") commands.search();
  else if (command === "help") commands.help();
}

const KEYS = new Map([
  ["ArrowDown", "next"],
  ["j", "next"],
  ["ArrowUp", "previous"],
  ["k", "previous"],
  ["PageDown", "page-on"],
  ["PageUp", "page-back"],
  ["Home", "first"],
  ["End", "last"],
  ["Enter", "open"],
  ["x", "pick"],
  ["X", "pick"],
  [" ", "pick"],
  ["/", "search"],
  ["?", "help"],
]);

function commandOf(event: KeyboardEvent): string | undefined {
  if (event.altKey) return undefined;
  if (event.ctrlKey || event.metaKey) return event.key === "a" ? "all" : undefined;
  // A button or a checkbox in the head has these two keys for itself.
  const isControl = event.target instanceof Element && event.target.closest("button, input");
  if (isControl && (event.key === "Enter" || event.key === " ")) return undefined;
  return KEYS.get(event.key);
}
