// Which rows of a long list are in sight: topics and candidates differ in height.
import type { Item } from "./ticks";

export const HEIGHTS = { topic: 38, candidate: 58 } as const; // pixels, as the style sheet has them
const BEYOND = 6; // rows that exist above and below what is in sight

export class Places {
  /** Where each row begins; one more for the end. */
  private readonly tops: readonly number[];

  constructor(items: readonly Item[]) {
    const tops = [0];
    for (const { kind } of items) tops.push((tops.at(-1) ?? 0) + HEIGHTS[kind]);
    this.tops = tops;
  }

  get height(): number {
    return this.tops.at(-1) ?? 0;
  }

  top(index: number): number {
    return this.tops[index] ?? 0;
  }

  /** The rows to draw where the list is scrolled to `scroll`. */
  inSight(scroll: number, height: number): { readonly first: number; readonly last: number } {
    const end = this.tops.length - 2;
    return {
      first: Math.max(0, this.at(scroll) - BEYOND),
      last: Math.min(end, this.at(scroll + height) + BEYOND),
    };
  }

  /** Where the list has to be scrolled to for a row to be in sight; where it is, if it is. */
  showing(index: number, scroll: number, height: number): number {
    const [top, bottom] = [this.top(index), this.top(index + 1)];
    if (top < scroll) return top;
    return bottom > scroll + height ? bottom - height : scroll;
  }

  /** The row at a pixel. */
  private at(pixel: number): number {
    let [low, high] = [0, this.tops.length - 2];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.top(middle) <= pixel) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
