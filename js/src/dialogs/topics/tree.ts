// The rows of the tree of topics: which are shown, and where one may go.
import type { TopicRow } from "../../contract.gen";

const SEPARATOR = "/";

/** More rows than anybody reads; the search finds the others. */
export const MOST_ROWS = 1_000;

export const parentOf = (path: string): string =>
  path.slice(0, Math.max(0, path.lastIndexOf(SEPARATOR)));

/** Whether a topic is another one or lies below it. */
export const isWithin = (path: string, above: string): boolean =>
  path === above || path.startsWith(above + SEPARATOR);

/** A path after `from` has become `to`. */
export const followed = (path: string, from: string, to: string): string =>
  isWithin(path, from) ? to + path.slice(from.length) : path;

/** The rows that nothing above them hides; a search shows what it finds, and what that is under. */
export function shownRows(
  rows: readonly TopicRow[],
  collapsed: ReadonlySet<string>,
  search: string,
): readonly TopicRow[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) {
    let hidden: string | null = null;
    return rows.filter((row) => {
      if (hidden !== null && isWithin(row.path, hidden)) return false;
      hidden = collapsed.has(row.path) ? row.path : null;
      return true;
    });
  }
  const wanted = new Set<string>();
  for (const row of rows) {
    const text = [row.path, row.description, ...row.keywords].join(" ").toLowerCase();
    if (!words.every((word) => text.includes(word))) continue;
    for (let path = row.path; path !== ""; path = parentOf(path)) wanted.add(path);
  }
  return rows.filter((row) => wanted.has(row.path));
}

/** Paths below a topic (`""`: without a parent), in order. */
export const childrenOf = (rows: readonly TopicRow[], parent: string): readonly string[] =>
  rows.filter((row) => parentOf(row.path) === parent).map((row) => row.path);

export interface Place {
  readonly position: number;
  readonly size: number;
}

/** Where each topic stands among those beside it, counted from 1. */
export function places(rows: readonly TopicRow[]): ReadonlyMap<string, Place> {
  const siblings = new Map<string, string[]>();
  for (const row of rows) {
    const parent = parentOf(row.path);
    const known = siblings.get(parent);
    if (known) known.push(row.path);
    else siblings.set(parent, [row.path]);
  }
  const found = new Map<string, Place>();
  for (const paths of siblings.values()) {
    paths.forEach((path, index) => {
      found.set(path, { position: index + 1, size: paths.length });
    });
  }
  return found;
}

export type Drop = "before" | "inside" | "after";

export interface Move {
  readonly parent: string;
  /** Among its siblings without itself; `null`: the last. */
  readonly position: number | null;
}

/** What dropping a topic on another one means; `null` where it would lie below itself or stay. */
export function moveOf(
  rows: readonly TopicRow[],
  path: string,
  onto: string,
  drop: Drop,
): Move | null {
  if (isWithin(onto, path)) return null;
  if (drop === "inside") {
    return parentOf(path) === onto ? null : { parent: onto, position: null };
  }
  const parent = parentOf(onto);
  const before = childrenOf(rows, parent);
  const others = before.filter((one) => one !== path);
  const position = others.indexOf(onto) + (drop === "after" ? 1 : 0);
  return before[position] === path && others.length < before.length ? null : { parent, position };
}

/** One place up (-1) or down (1) among its siblings; `null` at an end. */
export function stepOf(rows: readonly TopicRow[], path: string, by: -1 | 1): Move | null {
  const parent = parentOf(path);
  const siblings = childrenOf(rows, parent);
  const position = siblings.indexOf(path) + by;
  return position < 0 || position >= siblings.length ? null : { parent, position };
}
