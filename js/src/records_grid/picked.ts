// Which records are selected: some by id, or all of a filter less some and with others.
import type { RecordFilter, Selection } from "../contract.gen";

export interface Picked {
  readonly where: RecordFilter | null;
  /** Selected one by one, whatever the filter says. */
  readonly ids: ReadonlySet<string>;
  /** Taken out of the filter. */
  readonly except: ReadonlySet<string>;
}

/** Most records that are selected one by one. */
export const MOST_IDS = 10_000;

export const NOTHING: Picked = { where: null, ids: new Set(), except: new Set() };

export function isNothing({ where, ids }: Picked): boolean {
  return where === null && ids.size === 0;
}

/** Whether a record is selected; `isOfFilter` tells whether the selected filter matches it. */
export function isPicked(picked: Picked, id: string, isOfFilter: boolean): boolean {
  if (picked.ids.has(id)) return true;
  return picked.where !== null && isOfFilter && !picked.except.has(id);
}

export function pick(picked: Picked, ids: readonly string[]): Picked {
  const except = new Set(picked.except);
  for (const id of ids) except.delete(id);
  return { ...picked, ids: new Set([...picked.ids, ...ids]), except };
}

export function unpick(picked: Picked, ids: readonly string[]): Picked {
  const left = new Set(picked.ids);
  for (const id of ids) left.delete(id);
  const except = picked.where ? new Set([...picked.except, ...ids]) : picked.except;
  return { ...picked, ids: left, except };
}

/** Everything that a filter matches, and what was selected one by one. */
export function pickAll(picked: Picked, where: RecordFilter): Picked {
  return { where, ids: picked.ids, except: new Set() };
}

export function asSelection({ where, ids, except }: Picked): Selection {
  if (where === null) return { ids: [...ids] };
  return { where, except_ids: [...except], also_ids: [...ids] };
}

export function keyOf(where: RecordFilter | null): string {
  return where === null ? "" : JSON.stringify(Object.entries(where).sort());
}
