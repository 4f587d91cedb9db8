// What stays of the tree while its topics change: the row that has the focus, what is folded.
import { useCallback, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { TopicRow } from "../../contract.gen";
import { followed, MOST_ROWS, parentOf, places, shownRows } from "./tree";

/** A name that is being written: of a topic, or of a new one below a topic. */
export interface Naming {
  readonly kind: "rename" | "add";
  /** The topic, or the parent (`""`: the top level). */
  readonly path: string;
  readonly text: string;
}

const WAIT_MS = 3_000; // for a row that is to get the focus
const FOLDED_FROM = 150; // topics from which only the first level is shown to begin with

export function useTree(rows: readonly TopicRow[]) {
  const [search, setSearch] = useState("");
  const [naming, setNaming] = useState<Naming | null>(null);
  const [wanted, setWanted] = useState<string | null>(null);
  const [collapsed, setCollapsed] = useState<ReadonlySet<string> | null>(null);
  const element = useRef<HTMLDivElement>(null);
  const toFocus = useRef<{ readonly path: string; readonly until: number } | null>(null);

  const folded = useMemo(() => {
    if (collapsed) return collapsed;
    const first = rows.length >= FOLDED_FROM ? rows.filter((row) => row.level === 1) : [];
    return new Set(first.map((row) => row.path));
  }, [rows, collapsed]);
  const found = useMemo(() => shownRows(rows, folded, search), [rows, folded, search]);
  const shown = useMemo(() => found.slice(0, MOST_ROWS), [found]);
  const active = useMemo(() => activeOf(shown, wanted), [shown, wanted]);

  const focusOn = useCallback((path: string) => {
    toFocus.current = path === "" ? null : { path, until: Date.now() + WAIT_MS };
    setWanted(path);
  }, []);
  const fold = useCallback(
    (path: string, isFolded: boolean) => {
      const next = new Set(folded);
      if (isFolded) next.add(path);
      else next.delete(path);
      setCollapsed(next);
    },
    [folded],
  );
  /** What was `from` is `to` now: it keeps its state, and gets the focus. */
  const follow = useCallback(
    (from: string, to: string) => {
      const next = new Set([...folded].map((path) => followed(path, from, to)));
      for (let above = parentOf(to); above !== ""; above = parentOf(above)) next.delete(above);
      setCollapsed(next);
      focusOn(to);
    },
    [folded, focusOn],
  );

  // The focus goes to a row once it is there, and is not lost with a row that has gone.
  const hadFocus = useRef(false);
  useLayoutEffect(() => {
    const tree = element.current;
    if (!tree) return;
    if (toFocus.current && Date.now() > toFocus.current.until) toFocus.current = null;
    const isLost = hadFocus.current && document.activeElement === document.body;
    if (!toFocus.current && !isLost) return;
    const path = toFocus.current?.path ?? active;
    const row = path === null ? null : rowOf(tree, path);
    if (!row) return;
    toFocus.current = null;
    row.focus();
    row.scrollIntoView?.({ block: "nearest" });
  });
  const watch = useMemo(
    () => ({
      onFocus: () => {
        hadFocus.current = true;
      },
      onBlur: ({ target, relatedTarget }: React.FocusEvent) => {
        if (relatedTarget !== null) hadFocus.current = false;
        // Without a target: something else was clicked on, or the row is being taken away.
        else
          queueMicrotask(() => {
            if (target.isConnected) hadFocus.current = false;
          });
      },
    }),
    [],
  );

  const standing = useMemo(() => places(rows), [rows]);
  return {
    element,
    rows,
    shown,
    more: found.length - shown.length,
    active,
    folded,
    standing,
    search,
    naming,
    setSearch,
    setNaming,
    setActive: setWanted,
    focusOn,
    fold,
    follow,
    watch,
  };
}

export type Tree = ReturnType<typeof useTree>;

export function rowOf(tree: HTMLElement, path: string): HTMLElement | null {
  return tree.querySelector<HTMLElement>(`[data-topic="${CSS.escape(path)}"]`);
}

/** The wanted row, what is nearest above it, or the first. */
function activeOf(shown: readonly TopicRow[], wanted: string | null): string | null {
  const paths = new Set(shown.map((row) => row.path));
  for (let path = wanted ?? ""; path !== ""; path = parentOf(path))
    if (paths.has(path)) return path;
  return shown[0]?.path ?? null;
}
