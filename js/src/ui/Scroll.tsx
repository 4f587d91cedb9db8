import type { ReactNode } from "react";

interface Props {
  /** What is in it, for readers of the screen. */
  readonly label: string;
  readonly className?: string;
  readonly children: ReactNode;
}

/** A frame around what may be larger than its place; it scrolls by keyboard, too. */
export function Scroll({ label, className, children }: Props) {
  const attributes = {
    className: ["rft-scroll", className].filter(Boolean).join(" "),
    "aria-label": label,
    tabIndex: 0,
  };
  return <section {...attributes}>{children}</section>;
}
