// Where rows lie: browsers end an element after some ten million pixels, a table may have more.

/** Height of a row in pixels. */
export const ROW = 74;
/** Of the element that is scrolled; Chromium ends one at 33.5 million. */
export const MAX_SPACER = 8_000_000;

export interface Geometry {
  readonly rows: number;
  /** Of the part that shows rows, in pixels. */
  readonly height: number;
}

export function spacerOf(rows: number): number {
  return Math.min(rows * ROW, MAX_SPACER);
}

/** Whether a pixel of the scroll bar stands for more than one of the table. */
export function isMapped(rows: number): boolean {
  return rows * ROW > MAX_SPACER;
}

/** Pixels of the table above what is shown, at most. */
export function lastTop({ rows, height }: Geometry): number {
  return Math.max(rows * ROW - height, 0);
}

/** Pixels of the table above what is shown, of where the scroll bar stands. */
export function topOf(scroll: number, geometry: Geometry): number {
  const last = lastTop(geometry);
  if (!isMapped(geometry.rows)) return clamp(scroll, last);
  return clamp((scroll / (MAX_SPACER - geometry.height)) * last, last);
}

/** Where the scroll bar stands. */
export function scrollOf(top: number, geometry: Geometry): number {
  const last = lastTop(geometry);
  const at = clamp(top, last);
  if (!isMapped(geometry.rows)) return at;
  return (at / last) * (MAX_SPACER - geometry.height);
}

/** Indices of the rows that are shown, and some beyond. */
export function shownRows(
  top: number,
  { rows, height }: Geometry,
  beyond = 4,
): { readonly first: number; readonly last: number } {
  const first = Math.max(Math.floor(top / ROW) - beyond, 0);
  return { first, last: Math.min(Math.ceil((top + height) / ROW) + beyond, rows) - 1 };
}

/** What to scroll to so that a row is shown whole; the same where it is. */
export function topShowing(index: number, top: number, geometry: Geometry): number {
  const start = index * ROW;
  if (start < top) return start;
  const needed = start + ROW - geometry.height;
  return clamp(Math.max(top, needed), lastTop(geometry));
}

export function clamp(value: number, most: number): number {
  return Math.min(Math.max(value, 0), Math.max(most, 0));
}
