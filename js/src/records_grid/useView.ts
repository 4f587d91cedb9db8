// The view of a query: opened anew with another query, brought up to date in place after a change.
import { useCallback, useEffect, useRef, useState } from "react";
import type { Problem, RecordFilter, RecordRows, RecordsGridCalls } from "../contract.gen";
import { asProblem } from "../host/loaded";
import { keyOf } from "./picked";
import { BLOCK, type Row, RowCache, Superseded } from "./rows";

export type RowsRequest = RecordsGridCalls["rows"]["params"];
export type SortKey = RowsRequest["sort"];
export type LoadRows = (request: RowsRequest, signal?: AbortSignal) => Promise<RecordRows | null>;

export interface Query {
  readonly where: RecordFilter;
  readonly sort: SortKey;
  /** Rows say whether they match this, too. */
  readonly chosen: RecordFilter | null;
}

/** A row that keeps its place on the screen while rows come and go around it. */
export interface Anchor {
  readonly id: string;
  readonly index: number;
}

export interface View {
  readonly rows: RowCache | null;
  /** What `is_chosen` of the rows is about. */
  readonly chosen: RecordFilter | null;
  readonly isOpening: boolean;
  readonly problem: Problem | null;
  /** Look whether something has changed. */
  refresh(): void;
  reopen(): void;
  row(index: number): Promise<Row | null>;
}

interface Options {
  readonly load: LoadRows;
  readonly query: Query;
  readonly revision: number;
  anchor(): Anchor | null;
  /** The rows moved by so many places. */
  onMoved(by: number): void;
  onOpened(): void;
}

interface State {
  readonly rows: RowCache | null;
  readonly chosen: RecordFilter | null;
  readonly isOpening: boolean;
  readonly problem: Problem | null;
}

/** Rest between two looks, in multiples of what one took: a large table that changes all the time. */
const REST = 2;

export function useView(options: Options): View {
  const { query, revision } = options;
  const [state, setState] = useState<State>(NOT_YET);
  const [turn, setTurn] = useState(0);
  const latest = useRef(options);
  latest.current = options;
  const current = useRef<RowCache | null>(null);
  const opening = useRef<AbortController | null>(null);
  const catchUp = useRef(() => {});
  const missed = useRef(false);
  const refreshing = useRef<{ again: boolean } | null>(null);
  const subject = `${query.sort} ${keyOf(query.where)}`;
  const chosenKey = keyOf(query.chosen);
  const reopen = useCallback(() => setTurn((before) => before + 1), []);

  const made = useCallback(
    (first: RecordRows, { where, sort, chosen }: Query, before: RowCache | null) => {
      const cache: RowCache = new RowCache(
        first,
        (start, count) =>
          latest.current.load({ where, sort, start, count, chosen, revision: first.revision }),
        (error) => {
          if (current.current !== cache) return;
          if (error instanceof Superseded) catchUp.current();
          else setState((old) => ({ ...old, problem: error ? asProblem(error) : null }));
        },
        before,
      );
      current.current = cache;
      setState({ rows: cache, chosen, isOpening: false, problem: null });
    },
    [],
  );

  // `subject` says what the query says.
  useEffect(() => {
    const life = new AbortController();
    opening.current = life;
    const asked = latest.current.query;
    const { where, sort, chosen } = asked;
    setState((before) => ({ ...before, isOpening: true }));
    latest.current
      .load({ where, sort, chosen, start: 0, count: BLOCK }, life.signal)
      .then((rows) => {
        if (life.signal.aborted || !rows) return;
        made(rows, asked, null);
        latest.current.onOpened();
      })
      .catch((error: unknown) => {
        if (life.signal.aborted) return;
        setState((before) => ({ ...before, isOpening: false, problem: asProblem(error) }));
      })
      .finally(() => {
        if (opening.current !== life) return;
        opening.current = null;
        if (missed.current) catchUp.current(); // with what changed while it was opened
      });
    return () => life.abort();
  }, [subject, turn, made]);

  const refresh = useCallback(async () => {
    if (refreshing.current) {
      refreshing.current.again = true;
      return;
    }
    const mine = { again: true };
    refreshing.current = mine;
    while (mine.again && refreshing.current === mine) {
      mine.again = false;
      const began = performance.now();
      const took = await look();
      if (took) await pause(REST * (performance.now() - began));
    }
    if (refreshing.current === mine) refreshing.current = null;

    async function look(): Promise<boolean> {
      const before = current.current;
      missed.current = opening.current !== null;
      if (!before || missed.current) return false;
      const { query: asked, load, anchor, onMoved } = latest.current;
      const held = anchor();
      const isSame = keyOf(asked.chosen) === shownChosen.current;
      const start = Math.floor((held?.index ?? 0) / BLOCK) * BLOCK;
      try {
        const rows = await load({
          ...asked,
          start,
          count: BLOCK,
          ...(isSame ? { known: before.revision } : {}),
          ...(held ? { find: held.id } : {}),
        });
        if (!rows || current.current !== before || opening.current) return false;
        shownChosen.current = keyOf(asked.chosen);
        made(rows, asked, before);
        if (held && rows.found !== null) onMoved(rows.found - held.index);
      } catch (error) {
        setState((old) => ({ ...old, problem: asProblem(error) }));
      }
      return true;
    }
  }, [made]);

  catchUp.current = () => void refresh();
  const shownChosen = useRef(chosenKey);
  useEffect(() => void refresh(), [revision, chosenKey, refresh]);

  useEffect(
    () => () => {
      refreshing.current = null;
      current.current = null;
    },
    [],
  );

  const row = useCallback(async (index: number) => {
    try {
      return (await current.current?.row(index)) ?? null;
    } catch {
      return null; // the view is opened anew
    }
  }, []);
  return { ...state, refresh, reopen, row };
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

const NOT_YET: State = { rows: null, chosen: null, isOpening: true, problem: null };
