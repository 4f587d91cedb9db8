// Figures of charts, as Python writes them: halves are rounded to the even digit, so that a page
// and a report never differ in the last one.
import { count } from "../ui/numbers";

const ONE_DIGIT = { maximumFractionDigits: 1, minimumFractionDigits: 1 } as const;
const tenth = new Intl.NumberFormat("en-US", { ...ONE_DIGIT, roundingMode: "halfEven" });

/** "62.5%", of a share (0..1). */
export function share(value: number): string {
  return `${tenth.format(100 * value)}%`;
}

/** "+2.1" or "−29.2". */
export function points(value: number): string {
  return withSign(tenth.format(Math.abs(value)), value);
}

/** "+17" or "−1,200". */
export function signedCount(value: number): string {
  return withSign(count(Math.abs(value)), value);
}

function withSign(words: string, value: number): string {
  if (Number(words.replaceAll(",", "")) === 0) return words;
  return `${value > 0 ? "+" : "−"}${words}`;
}
