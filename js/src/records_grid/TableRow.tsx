// One row of the table.
import { memo } from "react";
import { SETTINGS } from "../contract.gen";
import { Badge } from "../ui/Badge";
import { count, percent } from "../ui/numbers";
import { ago, exact } from "../ui/time";
import { GridCell, GridRow } from "./aria";
import type { Cell, Row } from "./rows";

interface Props {
  readonly id: string;
  readonly index: number;
  readonly cell: Cell;
  /** Where it lies in the spacer, in pixels. */
  readonly y: number;
  readonly isActive: boolean;
  readonly isPicked: boolean;
  onPick(index: number, isRange: boolean): void;
  onActivate(index: number): void;
  onOpen(index: number): void;
}

export const TableRow = memo(function TableRow(props: Props) {
  const { id, index, cell, y, isActive, isPicked } = props;
  const look = [
    "rft-grid-row",
    isActive && "rft-grid-active",
    isPicked && "rft-grid-picked",
    cell && "rft-grid-live",
  ];
  return (
    <GridRow
      id={id}
      className={look.filter(Boolean).join(" ")}
      style={{ transform: `translateY(${y}px)` }}
      aria-rowindex={index + 2}
      aria-selected={isPicked}
      data-record={cell?.id}
      onMouseDown={() => props.onActivate(index)}
      onClick={() => cell && props.onOpen(index)}
    >
      {cell ? <Cells row={cell} {...props} /> : <Missing isGone={cell === null} />}
    </GridRow>
  );
});

function Cells({ row, index, isPicked, onPick }: Props & { readonly row: Row }) {
  return (
    <>
      <GridCell
        className="rft-grid-check"
        onClick={(event) => {
          event.stopPropagation();
          onPick(index, event.shiftKey);
        }}
      >
        <input
          type="checkbox"
          className="rft-checkbox"
          tabIndex={-1}
          aria-label={`Select ${row.id}`}
          checked={isPicked}
          readOnly
        />
      </GridCell>
      <GridCell className="rft-grid-messages">
        {row.lines.map((line, at) => (
          <span className="rft-grid-line" key={`${at}${line.tag}`}>
            <span className="rft-grid-tag">[{line.tag}]</span>
            <span className="rft-grid-text">{line.text}</span>
            {row.more > 0 && at === row.lines.length - 1 && (
              <span className="rft-grid-more">+{count(row.more)} more</span>
            )}
          </span>
        ))}
        {row.lines.length === 0 && <span className="rft-grid-faint">No messages</span>}
      </GridCell>
      <GridCell className="rft-grid-topic">
        <Topic row={row} />
      </GridCell>
      <GridCell className="rft-grid-valid">
        <Badge tone={row.is_valid ? "ok" : "bad"}>{row.is_valid ? "Valid" : "Invalid"}</Badge>
        {row.fault && (
          <span className="rft-grid-fault" title={row.fault}>
            {row.fault}
          </span>
        )}
      </GridCell>
      <GridCell className="rft-grid-score">
        {row.score === null ? (
          <span className="rft-grid-faint" title="Not graded">
            –
          </span>
        ) : (
          row.score.toFixed(2)
        )}
      </GridCell>
      <GridCell className="rft-grid-updated" title={exact(row.updated)}>
        {ago(row.updated)}
        {row.is_generated && <span className="rft-grid-faint">Generated</span>}
      </GridCell>
    </>
  );
}

function Topic({ row: { topic, confidence } }: { readonly row: Row }) {
  if (topic === null) return <span className="rft-grid-faint">No topic</span>;
  const isLow = confidence !== null && confidence < SETTINGS.topics.low_confidence;
  return (
    <>
      <span className="rft-grid-path" title={topic}>
        {topic}
      </span>
      {confidence !== null && (
        <span className={isLow ? "rft-grid-low" : "rft-grid-faint"}>
          {isLow ? `${percent(confidence)}, low` : percent(confidence)}
        </span>
      )}
    </>
  );
}

function Missing({ isGone }: { readonly isGone: boolean }) {
  return (
    <GridCell className="rft-grid-missing" aria-colspan={6}>
      {isGone ? "Deleted" : <span className="rft-skeleton" />}
    </GridCell>
  );
}
