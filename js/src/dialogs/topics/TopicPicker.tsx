// A list to choose one topic from, by typing, arrows or click.
import { type RefObject, useId, useMemo, useState } from "react";

export interface Choice {
  readonly path: string;
  readonly words: string;
  readonly note?: string;
  /** The key that chooses it. */
  readonly digit?: string;
}

interface Props {
  readonly label: string;
  readonly choices: readonly Choice[];
  readonly chosen: string | null;
  readonly placeholder?: string;
  readonly input?: RefObject<HTMLInputElement | null>;
  onChoose(path: string | null): void;
  /** Enter or a click; without it the form around takes Enter. */
  onPick?(path: string): void;
}

const MOST = 100;

export function TopicPicker(props: Props) {
  const { label, choices, chosen, placeholder = "Type to filter", input, onChoose, onPick } = props;
  const id = useId();
  const [typed, setTyped] = useState("");
  const found = useMemo(() => matching(choices, typed), [choices, typed]);
  const index = found.findIndex((one) => one.path === chosen);
  const step = (by: number) => {
    const to = found[Math.min(found.length - 1, Math.max(0, index + by))];
    if (!to) return;
    onChoose(to.path);
    document.getElementById(`${id}-${to.path}`)?.scrollIntoView?.({ block: "nearest" });
  };
  return (
    <div className="rft-picker">
      <input
        ref={input}
        type="text"
        role="combobox"
        className="rft-input"
        aria-label={label}
        aria-expanded
        aria-controls={`${id}-list`}
        aria-activedescendant={index < 0 ? undefined : `${id}-${chosen}`}
        aria-autocomplete="list"
        autoComplete="off"
        placeholder={placeholder}
        value={typed}
        onChange={(event) => {
          const text = event.currentTarget.value;
          setTyped(text);
          onChoose(matching(choices, text)[0]?.path ?? null);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            step(event.key === "ArrowDown" ? 1 : -1);
          } else if (event.key === "Enter" && onPick) {
            event.preventDefault();
            event.stopPropagation();
            if (index < 0) return;
            setTyped("");
            onPick(chosen ?? "");
          }
        }}
      />
      <div id={`${id}-list`} role="listbox" aria-label={label} className="rft-picker-list">
        {found.slice(0, MOST).map(({ path, words, note, digit }) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the input's
          <div
            key={path}
            id={`${id}-${path}`}
            role="option"
            tabIndex={-1}
            aria-selected={path === chosen}
            className="rft-picker-option"
            onClick={() => {
              onChoose(path);
              if (!onPick) return;
              setTyped("");
              onPick(path);
            }}
          >
            {digit && typed === "" && <kbd className="rft-topic-keys">{digit}</kbd>}
            <span className="rft-picker-words">{words}</span>
            {note && <span className="rft-picker-note">{note}</span>}
          </div>
        ))}
      </div>
      {found.length === 0 && <p className="rft-note">No topic has these words.</p>}
      {found.length > MOST && (
        <p className="rft-note">{`${found.length - MOST} more: type to narrow.`}</p>
      )}
    </div>
  );
}

function matching(choices: readonly Choice[], typed: string): readonly Choice[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  return choices.filter((one) => words.every((word) => one.words.toLowerCase().includes(word)));
}
