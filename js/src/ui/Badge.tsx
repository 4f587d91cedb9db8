import type { ReactNode } from "react";

export type Tone = "idle" | "busy" | "ok" | "warn" | "bad";

interface Props {
  readonly tone?: Tone;
  readonly children: ReactNode;
}

/** A state in a word or two. */
export function Badge({ tone = "idle", children }: Props) {
  return <span className={`rft-badge rft-tone-${tone}`}>{children}</span>;
}
