import type { ReactNode } from "react";

interface Props {
  readonly label: string;
  readonly value: ReactNode;
  readonly note?: ReactNode;
}

/** A figure with its name; `<Stats>` puts several side by side. */
export function Stat({ label, value, note }: Props) {
  return (
    <div className="rft-stat">
      <dt>{label}</dt>
      <dd>
        {value}
        {note && <small>{note}</small>}
      </dd>
    </div>
  );
}

export function Stats({ children }: { readonly children: ReactNode }) {
  return <dl className="rft-stats">{children}</dl>;
}
