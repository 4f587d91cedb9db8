// The review queue: one record at a time, by keys alone.
import { Check, SkipForward, Undo2 } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import type { ReviewItem, TopicRow, TopicsReport } from "../../contract.gen";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Empty } from "../../ui/Empty";
import { ChoiceField } from "../../ui/Field";
import { count, counted, percent } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { useEscape } from "../../ui/useEscape";
import { Confidence } from "./ApplyPane";
import { skippedOf } from "./reviewing";
import { type Choice, TopicPicker } from "./TopicPicker";
import type { Order, Reviewing } from "./useReview";

interface Props {
  readonly report: TopicsReport;
  readonly review: Reviewing;
  /** Whether the keys are to work at once. */
  readonly isFocused: boolean;
}

const ORDERS: readonly (readonly [Order, string])[] = [
  ["confidence", "Least certain first"],
  ["gain", "What teaches most first"],
];
const DIGITS = 9;

export function ReviewPane({ report, review, isFocused }: Props) {
  const { state, order, loaded, problem, setOrder, decide, skip, undo, again } = review;
  const { current, done } = state;
  const card = useRef<HTMLElement>(null);
  const filter = useRef<HTMLInputElement>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const choices = useMemo(() => choicesOf(report.topics, current), [report.topics, current]);
  useEscape(filter, () => card.current?.focus());
  useEffect(() => {
    if (isFocused) card.current?.focus();
  }, [isFocused]);

  const put = (topic: string) => {
    decide(topic);
    setChosen(null);
    card.current?.focus();
  };
  const keys = (event: React.KeyboardEvent<HTMLElement>) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    if (target.matches("input, textarea, select")) return;
    const chosenByKey = pathOfKey(report.topics, current, event.key);
    const letters: Readonly<Record<string, () => void>> = {
      a: () => current && put(current.topic),
      s: skip,
      u: undo,
      "/": () => filter.current?.focus(),
      ...(target === card.current ? { Enter: () => current && put(current.topic) } : {}),
      ...(chosenByKey ? { [event.key]: () => put(chosenByKey) } : {}),
    };
    const action = Object.hasOwn(letters, event.key) ? letters[event.key] : null;
    if (!action) return;
    event.preventDefault();
    action();
  };
  const skipped = skippedOf(state);
  const decided = done.length - skipped;

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the buttons in it
    <div className="rft-topics" onKeyDown={keys}>
      <div className="rft-topics-left">
        <div className="rft-review-head">
          <ChoiceField label="Order" value={order} options={ORDERS} onChange={setOrder} />
          <p className="rft-note" role="status">
            {[
              `${counted(report.to_review, "record")} to review`,
              decided > 0 ? `${count(decided)} decided` : "",
              skipped > 0 ? `${count(skipped)} skipped` : "",
            ]
              .filter(Boolean)
              .join(" • ")}
          </p>
        </div>
        {problem && <ProblemNote problem={problem} />}
        {loaded.problem && <ProblemNote problem={loaded.problem} onRetry={loaded.reload} />}
        <section
          ref={card}
          className="rft-review"
          aria-label="Record to review"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes the keys, and keeps the focus
          tabIndex={0}
        >
          {current ? (
            <Item item={current} />
          ) : loaded.isLoading ? (
            <Skeleton lines={4} />
          ) : (
            <Empty
              title={skipped > 0 ? "Only skipped records are left" : "Nothing to review"}
              action={
                skipped > 0 && (
                  <Button onClick={again}>{`Review ${counted(skipped, "skipped record")}`}</Button>
                )
              }
            >
              {skipped > 0
                ? "They keep their topic with low confidence."
                : "No record is under its topic with low confidence."}
            </Empty>
          )}
        </section>
        <div className="rft-row">
          <Button
            look="main"
            icon={<Check size={14} aria-hidden />}
            disabled={!current}
            onClick={() => current && put(current.topic)}
          >
            Accept <kbd>a</kbd>
          </Button>
          <Button
            icon={<SkipForward size={14} aria-hidden />}
            disabled={!current}
            onClick={() => {
              skip();
              card.current?.focus();
            }}
          >
            Skip <kbd>s</kbd>
          </Button>
          <Button
            icon={<Undo2 size={14} aria-hidden />}
            disabled={done.length === 0}
            onClick={() => {
              undo();
              card.current?.focus();
            }}
          >
            Undo <kbd>u</kbd>
          </Button>
          <span className="rft-note rft-review-keys">
            Enter or <kbd>a</kbd> accepts, a digit chooses, <kbd>/</kbd> filters
          </span>
        </div>
      </div>
      <div className="rft-topics-right">
        <section className="rft-card rft-topics-card" aria-label="Another topic">
          <h3 className="rft-section-title">Another topic</h3>
          <TopicPicker
            label="Another topic"
            choices={choices}
            chosen={chosen}
            placeholder="Type to filter  ( / )"
            input={filter}
            onChoose={setChosen}
            onPick={(path) => current && put(path)}
          />
        </section>
        <Confidence report={report} />
      </div>
    </div>
  );
}

function Item({ item }: { readonly item: ReviewItem }) {
  return (
    <>
      <p className="rft-review-text">{item.text || "It says nothing."}</p>
      <dl className="rft-review-topics" aria-live="polite">
        <dt>Proposed</dt>
        <dd>
          <strong>{item.topic.replaceAll("/", " / ")}</strong>
          <Badge tone="warn">{percent(item.confidence)}</Badge>
        </dd>
        {item.runner_up && (
          <>
            <dt>Runner-up</dt>
            <dd>
              {item.runner_up.replaceAll("/", " / ")} <kbd>1</kbd>
            </dd>
          </>
        )}
      </dl>
    </>
  );
}

const leavesOf = (rows: readonly TopicRow[]) => rows.filter((row) => row.is_leaf);

/** The key 1 is the runner-up's; the others follow the order of the tree, so that keys stay theirs. */
function pathOfKey(rows: readonly TopicRow[], item: ReviewItem | null, key: string): string | null {
  if (!/^[1-9]$/.test(key)) return null;
  return key === "1" ? (item?.runner_up ?? null) : (leavesOf(rows)[Number(key) - 2]?.path ?? null);
}

function choicesOf(rows: readonly TopicRow[], item: ReviewItem | null): readonly Choice[] {
  const all = leavesOf(rows).map(({ path, records }, index): Choice => {
    const digit = index + 2 <= DIGITS ? { digit: String(index + 2) } : {};
    return { path, words: path.replaceAll("/", " / "), note: count(records), ...digit };
  });
  const second = all.find((one) => one.path === item?.runner_up);
  return second ? [{ ...second, digit: "1" }, ...all.filter((one) => one !== second)] : all;
}
