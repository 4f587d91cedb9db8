// Candidates on their way to a decision: ticked ones become records. Knows nothing of Jupyter.
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import type {
  BatchView,
  CandidateView as Candidate,
  CandidateLine,
  Problem,
} from "../../../contract.gen";
import { type Loaded, useLoaded } from "../../../host/loaded";
import { Empty } from "../../../ui/Empty";
import { ChoiceField } from "../../../ui/Field";
import { ProblemNote } from "../../../ui/ProblemNote";
import { Skeleton } from "../../../ui/Skeleton";
import { CandidateList } from "./CandidateList";
import { CandidatePane } from "./CandidatePane";
import { type Item, itemsOf, type Shown, type Ticks } from "./ticks";

interface Props {
  readonly view: BatchView;
  readonly ticks: Ticks;
  onTicks(ticks: Ticks): void;
  lines(ids: readonly number[], signal: AbortSignal): Promise<readonly CandidateLine[]>;
  candidate(id: number, signal: AbortSignal): Promise<Candidate>;
}

const SHOWN: readonly (readonly [Shown, string])[] = [
  ["all", "All candidates"],
  ["good", "Without a fault"],
  ["faulty", "With a fault"],
];
const PAGE = 7; // rows

export function Review({ view, ticks, onTicks, lines, candidate }: Props) {
  const grid = useId();
  const [shown, setShown] = useState<Shown>("all");
  const items = useMemo(() => itemsOf(view.groups, shown), [view.groups, shown]);
  const [wanted, setWanted] = useState(1); // the first candidate, below its topic
  const active = Math.max(0, Math.min(wanted, items.length - 1));
  const item = items[active];
  const opened = useOpened(item?.kind === "candidate" ? item.id : null, candidate);
  const toggle = (index: number) => {
    const one = items[index];
    if (!one) return;
    onTicks(one.kind === "topic" ? ticks.toggleGroup(one.group) : ticks.toggle(one.id));
  };
  const keys = (event: KeyboardEvent<HTMLElement>) => {
    const action = actionOf(event, active, items);
    if (!action) return;
    event.preventDefault();
    if (action.kind === "go") setWanted(action.index);
    else if (action.kind === "toggle") toggle(active);
    else if (item) onTicks(ticks.toggleGroup(item.group));
  };
  const goTo = (id: number) => {
    const index = items.findIndex((one) => one.kind === "candidate" && one.id === id);
    if (index >= 0) setWanted(index);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the grid in it
    <div className="rft-review-two" onKeyDown={keys}>
      <div className="rft-review-list">
        <ChoiceField
          label="Show"
          value={shown}
          options={SHOWN}
          onChange={(next) => {
            setShown(next);
            setWanted(1);
          }}
        />
        {items.length === 0 ? (
          <Empty title="There is none of these" />
        ) : (
          <CandidateList
            id={grid}
            items={items}
            ticks={ticks}
            active={active}
            onActivate={setWanted}
            onToggle={toggle}
            load={lines}
          />
        )}
        <p className="rft-note rft-review-keys">
          <kbd>j</kbd> <kbd>k</kbd> next and previous, <kbd>space</kbd> ticks, <kbd>t</kbd> all or
          none of the topic
        </p>
      </div>
      <section className="rft-card rft-pane" aria-label="Candidate" aria-busy={opened.isOld}>
        {opened.problem && <ProblemNote problem={opened.problem} onRetry={opened.retry} />}
        {!opened.value && !opened.problem && item?.kind === "candidate" && <Skeleton lines={5} />}
        {item?.kind === "topic" && <TopicNote item={item} ticks={ticks} />}
        {opened.value && item?.kind === "candidate" && (
          <CandidatePane
            candidate={opened.value}
            isTicked={ticks.has(opened.value.id)}
            onToggle={() => opened.value && onTicks(ticks.toggle(opened.value.id))}
            onCandidate={goTo}
          />
        )}
      </section>
    </div>
  );
}

function TopicNote({ item, ticks }: { readonly item: Item; readonly ticks: Ticks }) {
  const { topic, ids, faulty } = item.group;
  return (
    <>
      <h4>{topic.replaceAll("/", " / ")}</h4>
      <p className="rft-note">
        {`${ticks.of(item.group)} of ${ids.length} candidates are ticked; ${faulty.length} have a fault. Space ticks all of them, or none.`}
      </p>
    </>
  );
}

interface Opened {
  readonly value: Candidate | null;
  /** The one of before, while the next is on its way. */
  readonly isOld: boolean;
  readonly problem: Problem | null;
  retry(): void;
}

/** The candidate of a number; the one before stands until it is there, so that nothing flickers. */
function useOpened(
  id: number | null,
  load: (id: number, signal: AbortSignal) => Promise<Candidate>,
): Opened {
  const loaded: Loaded<Candidate | null> = useLoaded(
    (signal) => (id === null ? Promise.resolve(null) : load(id, signal)),
    { revision: 0, subject: String(id) },
  );
  const last = useRef<Candidate | null>(null);
  useEffect(() => {
    if (loaded.value) last.current = loaded.value;
  }, [loaded.value]);
  const value = loaded.problem ? null : (loaded.value ?? last.current);
  return {
    value,
    isOld: id !== null && value !== null && value.id !== id,
    problem: loaded.problem,
    retry: loaded.reload,
  };
}

type KeyAction =
  | { readonly kind: "go"; readonly index: number }
  | { readonly kind: "toggle" }
  | { readonly kind: "topic" };

function actionOf(event: KeyboardEvent, active: number, items: readonly Item[]): KeyAction | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const target = event.target as HTMLElement;
  if (target.matches("select, textarea, input:not([readonly])")) return null;
  const last = items.length - 1;
  const go = (index: number): KeyAction => ({
    kind: "go",
    index: Math.max(0, Math.min(last, index)),
  });
  switch (event.key) {
    case "j":
      return go(active + 1);
    case "k":
      return go(active - 1);
    case "x":
      return { kind: "toggle" };
    case "t":
      return { kind: "topic" };
  }
  if (target.getAttribute("role") !== "grid") return null; // elsewhere these scroll, and press buttons
  switch (event.key) {
    case "ArrowDown":
      return go(active + 1);
    case "ArrowUp":
      return go(active - 1);
    case "PageDown":
      return go(active + PAGE);
    case "PageUp":
      return go(active - PAGE);
    case "Home":
      return go(0);
    case "End":
      return go(last);
    case " ":
      return { kind: "toggle" };
    default:
      return null;
  }
}
