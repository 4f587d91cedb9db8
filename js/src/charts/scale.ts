// A linear scale: from values to places, with round numbers for its axis.

type Pair = readonly [number, number];

export interface Scale {
  (value: number): number;
  /** The value at a place. */
  invert(place: number): number;
  readonly range: Pair;
  /** About so many round numbers within the values. */
  ticks(count: number): readonly number[];
  /** The same scale from and to round numbers. */
  nice(count: number): Scale;
}

export function linear(from: Pair, to: Pair): Scale {
  const span = from[1] - from[0];
  const width = to[1] - to[0];
  const place = (value: number) =>
    // Where there is but one value, it stands in the middle.
    to[0] + (span === 0 ? width / 2 : ((value - from[0]) / span) * width);
  return Object.assign(place, {
    invert: (at: number) => from[0] + (width === 0 ? 0 : ((at - to[0]) / width) * span),
    range: to,
    ticks(count: number) {
      const { times, toIndex } = stepOf(span, count);
      const first = Math.ceil(toIndex(from[0]));
      const last = Math.floor(toIndex(from[1]));
      return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) =>
        times(first + index),
      );
    },
    nice(count: number) {
      const { times, toIndex } = stepOf(span, count);
      return linear([times(Math.floor(toIndex(from[0]))), times(Math.ceil(toIndex(from[1])))], to);
    },
  });
}

/** A step of 1, 2 or 5 times a power of ten. Below 1 it divides: 3 * 0.1 would be 0.30000000000000004. */
function stepOf(span: number, count: number) {
  const rough = span > 0 ? span / Math.max(1, count) : 1;
  const power = Math.floor(Math.log10(rough));
  const part = rough / 10 ** power;
  const factor =
    part >= Math.sqrt(50) ? 10 : part >= Math.sqrt(10) ? 5 : part >= Math.SQRT2 ? 2 : 1;
  if (power < 0) {
    const inverse = 10 ** -power / factor;
    return {
      times: (index: number) => index / inverse,
      toIndex: (value: number) => settled(value * inverse),
    };
  }
  const step = factor * 10 ** power;
  return {
    times: (index: number) => index * step,
    toIndex: (value: number) => settled(value / step),
  };
}

/** Without the last digits, which are no one's: 0.3 * 10 is 3. */
const settled = (value: number) => Number(value.toPrecision(12));
