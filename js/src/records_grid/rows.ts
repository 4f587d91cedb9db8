// Rows of one view of the records: kept in blocks, fetched when they are looked at.
import type { RecordRows } from "../contract.gen";

export const BLOCK = 200;
const KEPT_BLOCKS = 50;
const AT_ONCE = 2;

export interface Row {
  readonly id: string;
  readonly lines: readonly { readonly tag: string; readonly text: string }[];
  readonly more: number;
  readonly topic: string | null;
  readonly confidence: number | null;
  readonly is_valid: boolean;
  readonly fault: string | null;
  readonly is_generated: boolean;
  readonly score: number | null;
  readonly updated: string;
  readonly is_chosen: boolean;
}

/** A row, `null` for one that was deleted since, `undefined` for one that is on its way. */
export type Cell = Row | null | undefined;

type FetchBlock = (start: number, count: number) => Promise<RecordRows | null>;

export class RowCache {
  readonly revision: number;
  readonly total: number;
  readonly isExact: boolean;
  readonly everything: number;
  private readonly blocks = new Map<number, readonly Cell[]>();
  private readonly waiting = new Set<number>();
  private wanted: readonly number[] = [];
  private before: RowCache | null;

  /** `before` stands in for rows that are on their way. */
  constructor(
    first: RecordRows,
    private readonly fetchBlock: FetchBlock,
    private readonly onNews: (problem: unknown) => void,
    before: RowCache | null = null,
  ) {
    this.revision = first.revision;
    this.total = first.total;
    this.isExact = first.total_is_exact;
    this.everything = first.everything;
    this.before = before;
    if (before) before.before = null; // one is enough
    this.put(first);
  }

  get(index: number): Cell {
    const block = this.blocks.get(Math.floor(index / BLOCK));
    if (block) return block[index % BLOCK];
    return this.before?.get(index);
  }

  /** Whether the row is of this view, and not of the one before. */
  has(index: number): boolean {
    return this.blocks.has(Math.floor(index / BLOCK));
  }

  /** Fetch what is missing of these rows; what was wanted before and has not begun is let go. */
  want(first: number, last: number): void {
    const from = Math.floor(Math.max(first, 0) / BLOCK);
    const to = Math.floor(Math.min(last, this.total - 1) / BLOCK);
    const wanted: number[] = [];
    for (let block = from; block <= to; block += 1) {
      const rows = this.blocks.get(block);
      if (rows) {
        this.blocks.delete(block); // the newest stands last
        this.blocks.set(block, rows);
      } else wanted.push(block);
    }
    this.wanted = wanted;
    this.fetchWanted();
  }

  /** A row, fetched where it has to be. */
  async row(index: number): Promise<Row | null> {
    if (!this.has(index)) this.put(await this.fetched(Math.floor(index / BLOCK)));
    return this.get(index) ?? null;
  }

  /** Ids of the rows from one to another. */
  async ids(first: number, last: number): Promise<readonly string[]> {
    const found: string[] = [];
    for (let index = first; index <= last; index += 1) {
      const row = await this.row(index);
      if (row) found.push(row.id);
    }
    return found;
  }

  private fetchWanted(): void {
    for (const block of this.wanted) {
      if (this.waiting.size >= AT_ONCE) return;
      if (this.waiting.has(block)) continue;
      this.waiting.add(block);
      this.fetched(block)
        .then((rows) => {
          this.put(rows);
          this.onNews(null);
        })
        .catch((error: unknown) => {
          this.wanted = this.wanted.filter((one) => one !== block);
          this.onNews(error);
        })
        .finally(() => {
          this.waiting.delete(block);
          this.wanted = this.wanted.filter((one) => !this.blocks.has(one));
          this.fetchWanted();
        });
    }
  }

  private async fetched(block: number): Promise<RecordRows> {
    const rows = await this.fetchBlock(block * BLOCK, BLOCK);
    if (rows?.revision !== this.revision) throw new Superseded();
    return rows;
  }

  private put(rows: RecordRows): void {
    const cells = rows.ids.map((_, at) => rowAt(rows, at));
    this.blocks.set(Math.floor(rows.start / BLOCK), cells);
    for (const oldest of this.blocks.keys()) {
      if (this.blocks.size <= KEPT_BLOCKS) break;
      this.blocks.delete(oldest);
    }
  }
}

/** The kernel does not keep this view any more: rows of another one cannot be mixed in. */
export class Superseded extends Error {}

function rowAt(rows: RecordRows, at: number): Cell {
  const id = rows.ids[at];
  if (id === null || id === undefined) return null;
  const texts = rows.texts[at] ?? [];
  return {
    id,
    lines: (rows.tags[at] ?? []).map((tag, line) => ({ tag, text: texts[line] ?? "" })),
    more: rows.more[at] ?? 0,
    topic: rows.topics[at] ?? null,
    confidence: rows.confidences[at] ?? null,
    is_valid: rows.valid[at] ?? false,
    fault: rows.faults[at] ?? null,
    is_generated: rows.generated[at] ?? false,
    score: rows.scores[at] ?? null,
    updated: rows.updated[at] ?? "",
    is_chosen: rows.chosen[at] ?? false,
  };
}
