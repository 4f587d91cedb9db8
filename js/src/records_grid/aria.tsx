// The parts of a grid. They are no table elements, which could not be laid out and scrolled so; and
// the grid itself has the focus and hears the keys, as its active row may not be in the page.
import type { HTMLAttributes } from "react";

interface Props extends HTMLAttributes<HTMLDivElement> {
  readonly "data-record"?: string | undefined;
}

const part = (role: "rowgroup" | "row" | "gridcell" | "columnheader") =>
  function Part(props: Props) {
    return <div role={role} {...props} />;
  };

export const RowGroup = part("rowgroup");
export const GridRow = part("row");
export const GridCell = part("gridcell");
export const ColumnHeader = part("columnheader");
