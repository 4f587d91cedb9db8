import { useEffect, useRef } from "react";

interface Props {
  readonly label: string;
  readonly state: boolean | "mixed";
}

/** Shows whether a row of a grid is ticked; the grid itself hears the clicks and the keys. */
export function TickBox({ label, state }: Props) {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (box.current) box.current.indeterminate = state === "mixed";
  }, [state]);
  return (
    <input
      ref={box}
      type="checkbox"
      className="rft-checkbox"
      tabIndex={-1}
      aria-label={label}
      checked={state === true}
      readOnly
    />
  );
}
