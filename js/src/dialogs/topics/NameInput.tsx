import { useEffect, useId, useRef } from "react";
import type { Problem } from "../../contract.gen";
import { useEscape } from "../../ui/useEscape";

interface Props {
  readonly label: string;
  /** What stands there; `initial` is what stood there before. */
  readonly text: string;
  readonly initial: string;
  readonly problem: Problem | null;
  readonly isBusy: boolean;
  onText(text: string): void;
  onDone(name: string): void;
  onCancel(): void;
}

/** A name written in its place: Enter keeps it, Escape forgets it, leaving keeps what was changed. */
export function NameInput(props: Props) {
  const { label, text, initial, problem, isBusy, onText, onDone, onCancel } = props;
  const input = useRef<HTMLInputElement>(null);
  const untouched = useRef(initial);
  const note = useId();
  useEscape(input, onCancel);
  useEffect(() => {
    input.current?.focus();
    if (input.current?.value === untouched.current) input.current.select();
  }, []);
  const finish = () => {
    if (isBusy) return;
    const given = text.trim();
    if (given === "" || given === initial) onCancel();
    else onDone(given);
  };
  return (
    <span className="rft-topic-naming">
      <input
        ref={input}
        className="rft-input"
        aria-label={label}
        aria-invalid={problem ? true : undefined}
        aria-describedby={problem ? note : undefined}
        value={text}
        maxLength={200}
        onChange={(event) => onText(event.currentTarget.value)}
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key === "Enter" && !event.nativeEvent.isComposing) finish();
        }}
        onBlur={finish}
      />
      {problem && (
        <span id={note} className="rft-topic-wrong" role="alert">
          {[problem.message, problem.hint].filter(Boolean).join(" ")}
        </span>
      )}
    </span>
  );
}
