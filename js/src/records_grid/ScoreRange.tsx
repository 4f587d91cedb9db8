// Two bounds of a score; a field that is empty is no bound.
import { useEffect, useState } from "react";

interface Props {
  readonly low: number | null;
  readonly high: number | null;
  onChange(low: number | null, high: number | null): void;
}

export function ScoreRange({ low, high, onChange }: Props) {
  return (
    <fieldset className="rft-grid-scores">
      <legend className="rft-hidden">Score</legend>
      <span aria-hidden>Score</span>
      <Bound label="Lowest score" value={low} onChange={(value) => onChange(value, high)} />
      <span aria-hidden>–</span>
      <Bound label="Highest score" value={high} onChange={(value) => onChange(low, value)} />
    </fieldset>
  );
}

interface BoundProps {
  readonly label: string;
  readonly value: number | null;
  onChange(value: number | null): void;
}

function Bound({ label, value, onChange }: BoundProps) {
  const shown = value === null ? "" : String(value);
  const [text, setText] = useState(shown);
  useEffect(() => setText(shown), [shown]);
  const number = text.trim() === "" ? null : Number(text);
  const isWrong = number !== null && !Number.isFinite(number);
  const take = () => {
    if (isWrong) setText(shown);
    else if (number !== value) onChange(number);
  };
  return (
    <input
      type="text"
      inputMode="decimal"
      className="rft-input rft-grid-bound"
      aria-label={label}
      aria-invalid={isWrong || undefined}
      placeholder={label.startsWith("L") ? "min" : "max"}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={take}
      onKeyDown={(event) => {
        if (event.key === "Enter") take();
      }}
    />
  );
}
