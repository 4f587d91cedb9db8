// Search and filters.
import { Search, X } from "lucide-react";
import { type Ref, useEffect, useId, useRef, useState } from "react";
import type { GridContext, RecordFilter } from "../contract.gen";
import { Button, IconButton } from "../ui/Button";
import { CheckField } from "../ui/Field";
import { count } from "../ui/numbers";
import { changed, isFiltered, NO_FILTER } from "./filter";
import { ScoreRange } from "./ScoreRange";

interface Props {
  readonly where: RecordFilter;
  readonly context: GridContext | null;
  readonly searchRef: Ref<HTMLInputElement>;
  onChange(where: RecordFilter): void;
  /** Leave the search for the table. */
  onLeave(): void;
}

export function Toolbar({ where, context, searchRef, onChange, onLeave }: Props) {
  const change = (fields: Partial<RecordFilter>) => onChange(changed(where, fields));
  return (
    <search className="rft-grid-tools" aria-label="Filters">
      <SearchBox
        value={where.search ?? ""}
        inputRef={searchRef}
        onChange={(search) => change({ search })}
        onLeave={onLeave}
      />
      {isFiltered(where) && (
        <Button look="ghost" onClick={() => onChange(NO_FILTER)}>
          Clear filters
        </Button>
      )}
      <TopicChoice {...{ where, context, change }} />
      <ValidChoice {...{ where, context, change }} />
      <Choice
        label="Source"
        value={where.source ?? "all"}
        options={SOURCES}
        onChange={(source) => change({ source: source as RecordFilter["source"] & string })}
      />
      <ScoreRange
        low={where.min_score ?? null}
        high={where.max_score ?? null}
        onChange={(min_score, max_score) => change({ min_score, max_score })}
      />
      <CheckField
        label="Low confidence"
        checked={where.low_confidence ?? false}
        onChange={(low_confidence) => change({ low_confidence })}
      />
      {where.dry_run && (
        <Button
          icon={<X size={12} aria-hidden />}
          title="Scores are those of one dry run. Take this filter away."
          onClick={() => change({ dry_run: null })}
        >
          Of a dry run
        </Button>
      )}
    </search>
  );
}

const SOURCES = [
  ["all", "All sources"],
  ["traces", "Recorded"],
  ["generated", "Generated"],
] as const;

interface PartProps {
  readonly where: RecordFilter;
  readonly context: GridContext | null;
  change(fields: Partial<RecordFilter>): void;
}

// A topic may be called anything, so its value is told apart by a first character.
const TOPIC = "=";

function TopicChoice({ where, context, change }: PartProps) {
  const { topic = null, uncategorized = null } = where;
  const known = context?.topics ?? [];
  const topics = topic !== null && !known.includes(topic) ? [topic, ...known] : known;
  const value =
    topic !== null ? TOPIC + topic : uncategorized === null ? "" : uncategorized ? "none" : "any";
  return (
    <Choice
      label="Topic"
      value={value}
      options={[
        ["", "All topics"],
        ["any", "With a topic"],
        ["none", "No topic"],
        ...topics.map((one) => [TOPIC + one, one] as const),
      ]}
      onChange={(chosen) =>
        change({
          topic: chosen.startsWith(TOPIC) ? chosen.slice(1) : null,
          uncategorized: chosen === "none" ? true : chosen === "any" ? false : null,
        })
      }
    />
  );
}

function ValidChoice({ where, context, change }: PartProps) {
  const { valid = null, code = null } = where;
  const faults = context?.faults ?? [];
  const value = code ?? (valid === null ? "" : valid ? "valid" : "invalid");
  const isKnown = !code || faults.some((fault) => fault.code === code);
  return (
    <Choice
      label="Validity"
      value={value}
      options={[
        ["", "Valid and not"],
        ["valid", "Valid"],
        ["invalid", "Invalid"],
        ...faults.map((one) => [one.code, `${one.words} (${count(one.count)})`] as const),
        ...(isKnown ? [] : [[code, code.replaceAll("_", " ")] as const]),
      ]}
      onChange={(chosen) => {
        const fault = [...faults.map((one) => one.code), code].find((one) => one === chosen);
        change({
          valid: chosen === "valid" ? true : chosen === "invalid" ? false : null,
          code: (fault ?? null) as RecordFilter["code"] & string,
        });
      }}
    />
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, words: string])[];
  onChange(value: string): void;
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <select
      className="rft-input rft-grid-choice"
      aria-label={label}
      data-rft-set={value !== options[0]?.[0] || undefined}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    >
      {options.map(([one, words]) => (
        <option key={one} value={one}>
          {words}
        </option>
      ))}
    </select>
  );
}

const DEBOUNCE_MS = 300;

interface SearchProps {
  readonly value: string;
  readonly inputRef: Ref<HTMLInputElement>;
  onChange(value: string): void;
  onLeave(): void;
}

function SearchBox({ value, inputRef, onChange, onLeave }: SearchProps) {
  const [text, setText] = useState(value);
  const id = useId();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const told = useRef(value);
  useEffect(() => {
    if (value === told.current) return; // our own, and more may have been typed since
    told.current = value;
    setText(value);
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const take = (next: string, inMs: number) => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      told.current = next;
      onChange(next);
    }, inMs);
  };
  return (
    <div className="rft-grid-search">
      <Search size={14} aria-hidden />
      <input
        id={id}
        ref={inputRef}
        type="text"
        className="rft-input"
        aria-label="Search the messages"
        aria-keyshortcuts="/"
        placeholder="Search the messages"
        value={text}
        onChange={(event) => take(event.currentTarget.value, DEBOUNCE_MS)}
        onKeyDown={(event) => {
          if (event.key === "Enter") take(text, 0);
          if (event.key === "ArrowDown" || event.key === "Enter") {
            event.preventDefault();
            onLeave();
          }
        }}
      />
      {text && (
        <IconButton label="Clear the search" onClick={() => take("", 0)}>
          <X size={14} aria-hidden />
        </IconButton>
      )}
    </div>
  );
}
