// What the charts share: how wide they are, where the numbers stand, and the same in words.
import { type ReactNode, type RefObject, useLayoutEffect, useState } from "react";
import type { Scale } from "./scale";

export const MARGIN = { top: 18, right: 14, bottom: 26, left: 44 } as const;
const FIRST_WIDTH = 560; // until it is known, and where nothing is laid out

/** The width of an element, followed. */
export function useWidth(ref: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(FIRST_WIDTH);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const measure = () => {
      if (element.clientWidth > 0) setWidth(element.clientWidth);
    };
    measure();
    if (typeof ResizeObserver === "undefined") return;
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return width;
}

/** A number on an axis: as many digits as it needs, thousands apart. */
export function tick(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 3 });
}

interface AxesProps {
  readonly x: Scale;
  readonly y: Scale;
  readonly xTicks?: number;
  readonly yTicks?: number;
  readonly xLabel?: string;
  readonly yLabel?: string;
}

/** Lines across for `y`, and the numbers of both axes; decoration for who sees it. */
export function Axes({ x, y, xTicks = 6, yTicks = 4, xLabel, yLabel }: AxesProps) {
  const [left, right] = x.range;
  const [bottom, top] = y.range;
  return (
    <g className="rft-axes" aria-hidden>
      {y.ticks(yTicks).map((value) => (
        <g key={value} transform={`translate(0 ${y(value)})`}>
          <line x1={left} x2={right} className="rft-chart-grid" />
          <text x={left - 8} dy="0.32em" textAnchor="end">
            {tick(value)}
          </text>
        </g>
      ))}
      {x.ticks(xTicks).map((value) => (
        <text key={value} x={x(value)} y={bottom + 16} textAnchor="middle">
          {tick(value)}
        </text>
      ))}
      {xLabel && (
        <text
          x={(left + right) / 2}
          y={bottom + 34}
          textAnchor="middle"
          className="rft-chart-label"
        >
          {xLabel}
        </text>
      )}
      {yLabel && (
        <text x={left - 8} y={top - 9} textAnchor="end" className="rft-chart-label">
          {yLabel}
        </text>
      )}
    </g>
  );
}

interface TableProps {
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The figures of a chart for who does not see it. */
export function HiddenTable({ caption, head, rows }: TableProps): ReactNode {
  return (
    <div className="rft-hidden">
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
