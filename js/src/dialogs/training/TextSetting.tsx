import { useId } from "react";
import { Field } from "../../ui/Field";
import { Words } from "./Words";

interface Props {
  readonly label: string;
  readonly value: string;
  /** What may be chosen; anything else may be typed. */
  readonly offered?: readonly string[];
  readonly hint: string;
  readonly error?: string | null;
  readonly placeholder?: string;
  onChange(value: string): void;
}

/** A text, typed or chosen of what is offered. */
export function TextSetting(props: Props) {
  const { label, value, offered = [], hint, error = null, placeholder, onChange } = props;
  const list = useId();
  return (
    <Field label={label} hint={<Words text={hint} />} error={error}>
      {(control) => (
        <>
          <input
            {...control}
            {...(offered.length > 0 ? { list } : {})}
            className="rft-input"
            value={value}
            placeholder={placeholder ?? offered[0] ?? ""}
            spellCheck={false}
            autoComplete="off"
            maxLength={1_000}
            onChange={(event) => onChange(event.currentTarget.value)}
            onBlur={(event) => onChange(event.currentTarget.value.trim())}
          />
          {offered.length > 0 && (
            <datalist id={list}>
              {offered.map((one) => (
                <option key={one} value={one} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
  );
}
