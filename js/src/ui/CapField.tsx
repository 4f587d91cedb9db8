// The most that a piece of work may spend on models.
import { useState } from "react";
import { Field } from "./Field";

interface Props {
  /** In dollars; null for no limit. */
  readonly value: number | null;
  readonly disabled?: boolean;
  onChange(value: number | null): void;
}

export function CapField({ value, disabled, onChange }: Props) {
  const [text, setText] = useState(value === null ? "" : String(value));
  const wanted = readCap(text);
  return (
    <Field
      label="Most to spend, in dollars"
      hint="Empty for no limit. What was made by then is kept."
      error={wanted === undefined ? "An amount above 0, such as 2.50, or nothing." : null}
    >
      {(control) => (
        <input
          {...control}
          className="rft-input"
          inputMode="decimal"
          placeholder="No limit"
          value={text}
          disabled={disabled}
          onChange={(event) => {
            const next = event.currentTarget.value;
            setText(next);
            const cap = readCap(next);
            if (cap !== undefined) onChange(cap);
          }}
        />
      )}
    </Field>
  );
}

/** An amount, null for nothing, undefined for what is none. */
function readCap(text: string): number | null | undefined {
  const trimmed = text.trim().replace(/^\$/, "");
  if (trimmed === "") return null;
  const value = Number(trimmed);
  return Number.isFinite(value) && value > 0 ? value : undefined;
}
