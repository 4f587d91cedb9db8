// Rewards (0..1) and how sure they are, as people read them.

interface Bounds {
  readonly low: number | null;
  readonly high: number | null;
}

export const NO_TOPIC = "(no topic)";

export function reward(value: number | null): string {
  return value === null ? "–" : value.toFixed(2);
}

/** A difference, with its sign. */
export function signed(value: number): string {
  const words = value.toFixed(2);
  if (Number(words) === 0) return "0.00";
  return value > 0 ? `+${words}` : words.replace("-", "−");
}

/** "[+0.12, +0.26]" of a difference; empty where the data cannot tell. */
export function signedBounds({ low, high }: Bounds): string {
  return low === null || high === null ? "" : `[${signed(low)}, ${signed(high)}]`;
}

/** "[0.42, 0.61]" of a mean; empty where the data cannot tell. */
export function bounds({ low, high }: Bounds): string {
  return low === null || high === null ? "" : `[${reward(low)}, ${reward(high)}]`;
}

/** "+49%" of a relative difference. */
export function signedPercent(share: number): string {
  const words = Math.abs(share * 100).toFixed(0);
  if (words === "0") return "0%";
  return `${share > 0 ? "+" : "−"}${words}%`;
}
