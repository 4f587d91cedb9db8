// Which rows of a long list are asked for, and which are drawn.

/** Height of a row in pixels. */
export const ROW = 58;
const BLOCK = 50;
const WINDOW = 200;
/** Browsers end an element after some ten million pixels. */
export const MAX_ROWS = 250_000;

/** The rows to have at hand when the list shows this one first. */
export function rowsAround(first: number): { readonly start: number; readonly count: number } {
  return { start: Math.max(Math.floor(first / BLOCK) * BLOCK - BLOCK, 0), count: WINDOW };
}

/** The rows to draw at this place of the scroll bar, and some beyond. */
export function shownRows(
  top: number,
  height: number,
  rows: number,
): { readonly first: number; readonly last: number } {
  const first = Math.max(Math.floor(top / ROW) - 4, 0);
  const last = Math.min(Math.ceil((top + height) / ROW) + 4, Math.min(rows, MAX_ROWS) - 1);
  return { first, last: Math.max(last, first - 1) };
}
