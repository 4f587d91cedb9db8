// A connection in words.
import type { ConnectionView, ModelConnection } from "../../../contract.gen";

export function keyWords({ api_key_env }: ModelConnection): string {
  return api_key_env === null ? "None needed" : `From ${api_key_env}`;
}

const MILLION = 1_000_000;

/** "$0.10 in, $0.50 out, for a million tokens". */
export function priceWords({ input_price, output_price }: ConnectionView): string {
  if (input_price === null && output_price === null) return "Not known";
  const side = (price: number | null) => (price === null ? "unknown" : dollars(price));
  return `${side(input_price)} in, ${side(output_price)} out, for a million tokens`;
}

function dollars(microUsd: number): string {
  const options = { style: "currency", currency: "USD", maximumFractionDigits: 6 } as const;
  return (microUsd / MILLION).toLocaleString("en-US", options);
}

/** Of what was typed in dollars: millionths, null for nothing, undefined for what is no price. */
export function readPrice(text: string): number | null | undefined {
  const trimmed = text.trim().replace(/^\$/, "");
  if (trimmed === "") return null;
  const value = Number(trimmed);
  return Number.isFinite(value) && value >= 0 ? Math.round(value * MILLION) : undefined;
}

export const priceText = (microUsd: number | null): string =>
  microUsd === null ? "" : String(microUsd / MILLION);
