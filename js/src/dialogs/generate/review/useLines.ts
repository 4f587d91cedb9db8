// Texts of candidates for the list: fetched in blocks when their rows come into sight.
import { useCallback, useEffect, useRef, useState } from "react";
import type { CandidateLine, Problem } from "../../../contract.gen";
import { asProblem } from "../../../host/loaded";
import type { Item } from "./ticks";

const BLOCK = 100; // candidates that are fetched at a time

export interface Lines {
  readonly problem: Problem | null;
  get(id: number): CandidateLine | undefined;
  retry(): void;
}

/** What a candidate says never changes: what was fetched once is kept. */
export function useLines(
  items: readonly Item[],
  first: number,
  last: number,
  load: (ids: readonly number[], signal: AbortSignal) => Promise<readonly CandidateLine[]>,
): Lines {
  const known = useRef(new Map<number, CandidateLine>());
  const asked = useRef(new Set<number>());
  const latest = useRef(load);
  latest.current = load;
  const [problem, setProblem] = useState<Problem | null>(null);
  const [turn, setTurn] = useState(0);
  const [life] = useState(() => new AbortController());
  useEffect(() => () => queueMicrotask(() => life.abort()), [life]);

  useEffect(() => {
    const wanted = missing(
      items,
      first,
      last,
      (id) => known.current.has(id) || asked.current.has(id),
    );
    if (wanted.length === 0) return;
    for (const id of wanted) asked.current.add(id);
    latest
      .current(wanted, life.signal)
      .then((lines) => {
        for (const line of lines) known.current.set(line.id, line);
        setProblem(null);
        setTurn((before) => before + 1);
      })
      .catch((error: unknown) => !life.signal.aborted && setProblem(asProblem(error)))
      .finally(() => {
        for (const id of wanted) asked.current.delete(id);
      });
  }, [items, first, last, life, turn]);

  const get = useCallback((id: number) => known.current.get(id), []);
  return { problem, get, retry: () => setTurn((before) => before + 1) };
}

/** Candidates in sight that are not there, and as many after them as make up a block. */
function missing(
  items: readonly Item[],
  first: number,
  last: number,
  isThere: (id: number) => boolean,
): readonly number[] {
  const found: number[] = [];
  for (let index = first; index < items.length; index += 1) {
    if (index > last && (found.length === 0 || found.length >= BLOCK)) break;
    const item = items[index];
    if (item?.kind === "candidate" && !isThere(item.id)) found.push(item.id);
  }
  return found;
}
