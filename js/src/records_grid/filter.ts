// The filter of the toolbar: only what narrows stands in it.
import type { RecordFilter } from "../contract.gen";

export const NO_FILTER: RecordFilter = {};

const DEFAULTS = new Map<string, unknown>([
  ["search", ""],
  ["source", "all"],
  ["low_confidence", false],
]);

/** A filter with some fields changed; `null` and what says nothing are left out. */
export function changed(where: RecordFilter, fields: Partial<RecordFilter>): RecordFilter {
  const all = Object.entries({ ...where, ...fields });
  return Object.fromEntries(
    all.filter(([name, value]) => value !== null && value !== DEFAULTS.get(name)),
  );
}

export function isFiltered(where: RecordFilter): boolean {
  return Object.keys(changed(where, {})).length > 0;
}

/** Whether a filter still says everything that another one says. */
export function includes(where: RecordFilter, part: RecordFilter): boolean {
  const own = new Map(Object.entries(where));
  return Object.entries(part).every(([name, value]) => own.get(name) === value);
}
