// Rows as the kernel gives them, for tests.
import type { RecordRows } from "../contract.gen";

export function someRows(start: number, count: number, more: Partial<RecordRows> = {}): RecordRows {
  const each = <V>(value: (index: number) => V): V[] =>
    Array.from({ length: count }, (_, at) => value(start + at));
  return {
    revision: 1,
    start,
    total: 1_000,
    total_is_exact: true,
    everything: 1_000,
    found: null,
    ids: each((index) => `r${index}`),
    tags: each(() => ["USR", "AST"]),
    texts: each((index) => [`Question ${index}`, `Answer ${index}`]),
    more: each(() => 0),
    topics: each(() => "orders/returns"),
    confidences: each(() => 0.9),
    valid: each(() => true),
    faults: each(() => null),
    generated: each(() => false),
    scores: each(() => 0.5),
    updated: each(() => "2026-10-01T10:00:00Z"),
    chosen: each(() => false),
    ...more,
  };
}
