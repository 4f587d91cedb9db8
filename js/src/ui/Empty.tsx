import type { ReactNode } from "react";

interface Props {
  readonly title: string;
  readonly children?: ReactNode;
  /** What to do about it. */
  readonly action?: ReactNode;
}

/** Says that there is nothing yet, and what would bring something. */
export function Empty({ title, children, action }: Props) {
  return (
    <div className="rft-empty">
      <strong>{title}</strong>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}
