// Targets as they are typed: percentages with two digits, which sum to what the exact ones do.

export interface Target {
  readonly topic: string;
  readonly percent: number;
}

/** What was typed, by topic; a Map, as topics may have any name. */
export type Draft = ReadonlyMap<string, string>;

/**
 * Percentages rounded to hundredths without missing their sum: what is left over goes to those
 * that lost the most by rounding.
 */
export function draftOf(targets: readonly Target[]): Draft {
  const exact = targets.map(({ percent }) => 100 * percent);
  const rounded = exact.map((value) => Math.floor(value + 1e-6));
  const left = Math.round(sumOf(exact)) - sumOf(rounded);
  const order = exact.map((_, index) => index);
  const lost = (index: number) => (exact[index] ?? 0) - (rounded[index] ?? 0);
  order.sort((one, other) => lost(other) - lost(one));
  for (const index of order.slice(0, left)) rounded[index] = (rounded[index] ?? 0) + 1;
  return new Map(
    targets.map(({ topic }, index) => [topic, String((rounded[index] ?? 0) / 100)] as const),
  );
}

export function targetsOf(topics: readonly string[], draft: Draft): readonly Target[] {
  return topics.map((topic) => ({ topic, percent: Number(draft.get(topic) || "0") }));
}

export const sumOf = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0);

export const isSame = (one: Draft, other: Draft) =>
  one.size === other.size && [...one].every(([topic, value]) => other.get(topic) === value);
