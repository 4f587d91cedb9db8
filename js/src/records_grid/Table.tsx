// The table: a grid of which only the rows in sight exist.
import { ArrowDown, ArrowUp } from "lucide-react";
import { useEffect, useRef } from "react";
import { ColumnHeader, GridRow, RowGroup } from "./aria";
import type { Cell, Row, RowCache } from "./rows";
import { ROW, shownRows, spacerOf } from "./scroll";
import { TableRow } from "./TableRow";
import type { Scroll } from "./useScroll";
import type { SortKey } from "./useView";

export const HEAD = 34;

const COLUMNS = [
  ["messages", "Messages"],
  ["topic", "Topic"],
  ["valid", "Valid"],
  ["score", "Score"],
  ["updated", "Updated"],
] as const;

export interface TableProps {
  readonly id: string;
  readonly rows: RowCache;
  readonly scroll: Scroll;
  readonly sort: SortKey;
  readonly active: number;
  readonly isBusy: boolean;
  /** Of all rows of the view: "mixed" where some are selected. */
  readonly allPicked: boolean | "mixed";
  isPicked(row: Row): boolean;
  onSort(sort: SortKey): void;
  onPick(index: number, isRange: boolean): void;
  onPickAll(): void;
  onActivate(index: number): void;
  onOpen(index: number): void;
}

export function Table(props: TableProps) {
  const { id, rows, scroll, active, isBusy } = props;
  const { first, last } = shownRows(scroll.top, scroll.geometry);
  useEffect(() => rows.want(first, last), [rows, first, last]);
  const indices = Array.from({ length: Math.max(last - first + 1, 0) }, (_, at) => first + at);
  const isActiveThere = active >= first && active <= last && rows.total > 0;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table element cannot be scrolled like this
    <div
      ref={scroll.box}
      id={id}
      role="grid"
      className={isBusy ? "rft-grid-box rft-grid-busy" : "rft-grid-box"}
      aria-label="Records"
      aria-rowcount={rows.total + 1}
      aria-colcount={COLUMNS.length + 1}
      aria-multiselectable="true"
      aria-busy={isBusy || undefined}
      aria-activedescendant={isActiveThere ? rowId(id, active) : undefined}
      tabIndex={0}
      onScroll={scroll.onScroll}
    >
      <Head {...props} />
      <RowGroup className="rft-grid-spacer" style={{ height: Math.max(spacerOf(rows.total), ROW) }}>
        {indices.map((index) => (
          <TableRow
            key={index}
            id={rowId(id, index)}
            index={index}
            cell={rows.get(index)}
            y={scroll.origin + index * ROW}
            isActive={index === active}
            isPicked={pickedCell(props, rows.get(index))}
            onPick={props.onPick}
            onActivate={props.onActivate}
            onOpen={props.onOpen}
          />
        ))}
      </RowGroup>
    </div>
  );
}

const rowId = (grid: string, index: number) => `${grid}-row-${index}`;

const pickedCell = ({ isPicked }: TableProps, cell: Cell): boolean =>
  cell ? isPicked(cell) : false;

function Head({ sort, allPicked, onSort, onPickAll }: TableProps) {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (box.current) box.current.indeterminate = allPicked === "mixed";
  }, [allPicked]);
  return (
    <RowGroup className="rft-grid-head">
      <GridRow className="rft-grid-row rft-grid-headrow" aria-rowindex={1}>
        <ColumnHeader className="rft-grid-check" aria-colindex={1}>
          <input
            ref={box}
            type="checkbox"
            className="rft-checkbox"
            aria-label="Select all records of this filter"
            checked={allPicked === true}
            onChange={onPickAll}
          />
        </ColumnHeader>
        {COLUMNS.map(([name, words], at) => {
          const down: SortKey = `-${name}`;
          const direction = sort === name ? "ascending" : sort === down ? "descending" : "none";
          const next = direction === "none" ? name : direction === "ascending" ? down : "position";
          return (
            <ColumnHeader
              key={name}
              aria-sort={direction}
              aria-colindex={at + 2}
              className={`rft-grid-${name}`}
            >
              <button type="button" className="rft-grid-sort" onClick={() => onSort(next)}>
                {words}
                {direction === "ascending" && <ArrowUp size={12} aria-hidden />}
                {direction === "descending" && <ArrowDown size={12} aria-hidden />}
              </button>
            </ColumnHeader>
          );
        })}
      </GridRow>
    </RowGroup>
  );
}
