// The candidates by topic, of which only the rows in sight exist. Knows nothing of Jupyter.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { CandidateLine, Problem } from "../../../contract.gen";
import { GridCell, GridRow, RowGroup } from "../../../records_grid/aria";
import { ProblemNote } from "../../../ui/ProblemNote";
import { TickBox } from "./TickBox";
import type { Item, Ticks } from "./ticks";
import { useLines } from "./useLines";
import { Places } from "./window";

interface Props {
  readonly id: string;
  readonly items: readonly Item[];
  readonly ticks: Ticks;
  /** Place of the row that the keys are about. */
  readonly active: number;
  onActivate(index: number): void;
  onToggle(index: number): void;
  load(ids: readonly number[], signal: AbortSignal): Promise<readonly CandidateLine[]>;
}

const USUAL_HEIGHT = 440;

export function CandidateList({ id, items, ticks, active, load, ...on }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [scroll, setScroll] = useState(0);
  const [height, setHeight] = useState(USUAL_HEIGHT);
  const places = useMemo(() => new Places(items), [items]);
  const { first, last } = places.inSight(scroll, height);
  const lines = useLines(items, first, last, load);
  useLayoutEffect(() => {
    if (box.current?.clientHeight) setHeight(box.current.clientHeight);
  }, []);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const next = places.showing(active, element.scrollTop, element.clientHeight || USUAL_HEIGHT);
    if (next !== element.scrollTop) element.scrollTop = next;
  }, [active, places]);
  const isActiveThere = active >= first && active <= last && items.length > 0;
  const shown = items.slice(first, last + 1).map((item, at) => ({ item, index: first + at }));
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a table element cannot be scrolled like this */}
      <div
        ref={box}
        role="grid"
        id={id}
        className="rft-candidates"
        aria-label="Candidates"
        aria-rowcount={items.length}
        aria-multiselectable="true"
        aria-activedescendant={isActiveThere ? `${id}-${active}` : undefined}
        tabIndex={0}
        onScroll={(event) => setScroll(event.currentTarget.scrollTop)}
      >
        <RowGroup className="rft-candidates-all" style={{ height: places.height }}>
          {shown.map(({ item, index }) => (
            <Row
              key={item.kind === "topic" ? item.group.topic : item.id}
              id={`${id}-${index}`}
              item={item}
              index={index}
              top={places.top(index)}
              ticks={ticks}
              isActive={index === active}
              line={item.kind === "candidate" ? lines.get(item.id) : undefined}
              {...on}
            />
          ))}
        </RowGroup>
      </div>
      {lines.problem && <Failed problem={lines.problem} onRetry={lines.retry} />}
    </>
  );
}

const Failed = ({ problem, onRetry }: { readonly problem: Problem; onRetry(): void }) => (
  <ProblemNote problem={problem} onRetry={onRetry} />
);

interface RowProps extends Pick<Props, "ticks" | "onActivate" | "onToggle"> {
  readonly id: string;
  readonly item: Item;
  readonly index: number;
  readonly top: number;
  readonly isActive: boolean;
  readonly line: CandidateLine | undefined;
}

function Row({ id, item, index, top, ticks, isActive, line, onActivate, onToggle }: RowProps) {
  const isTopic = item.kind === "topic";
  const ticked = isTopic ? ticks.of(item.group) : Number(ticks.has(item.id));
  const size = isTopic ? item.group.ids.length : 1;
  const isTicked = ticked === size;
  const name = isTopic ? `all of ${item.group.topic}` : `candidate ${item.id}`;
  const look = [
    "rft-candidate",
    isTopic && "rft-candidate-topic",
    isActive && "rft-candidate-active",
  ];
  return (
    <GridRow
      id={id}
      className={look.filter(Boolean).join(" ")}
      style={{ transform: `translateY(${top}px)` }}
      aria-rowindex={index + 1}
      aria-selected={isTicked}
      onMouseDown={() => onActivate(index)}
    >
      <GridCell className="rft-candidate-check" onClick={() => onToggle(index)}>
        <TickBox label={`Tick ${name}`} state={isTicked ? true : ticked > 0 ? "mixed" : false} />
      </GridCell>
      <GridCell className="rft-candidate-body">
        {isTopic ? (
          <>
            <strong title={item.group.topic}>{item.group.topic.replaceAll("/", " / ")}</strong>
            <span className="rft-candidate-size">{`${ticked} of ${size}`}</span>
          </>
        ) : (
          <Line line={line} />
        )}
      </GridCell>
    </GridRow>
  );
}

function Line({ line }: { readonly line: CandidateLine | undefined }) {
  if (!line) return <span className="rft-skeleton" />;
  return (
    <>
      <span className="rft-candidate-text">{line.text || "Nothing came"}</span>
      {line.fault_words && <span className="rft-candidate-fault">{line.fault_words}</span>}
    </>
  );
}
