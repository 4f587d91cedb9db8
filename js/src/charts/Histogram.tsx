import { useRef } from "react";
import { count, counted } from "../ui/numbers";
import { Axes, MARGIN, tick, useWidth } from "./frame";
import { linear } from "./scale";

export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

export interface Mark {
  readonly at: number;
  readonly label: string;
}

interface Props {
  readonly bins: readonly Bin[];
  /** What is counted, such as "Scores". */
  readonly label: string;
  readonly marks?: readonly Mark[];
  onBin?(bin: Bin): void;
}

const HEIGHT = 190;
const ROW = 13; // of labels of marks
const LETTER = 6.2; // about as wide as one is at most

/** How often which value came; a bin that holds something can be activated. */
export function Histogram({ bins, label, marks = [], onBin }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const first = bins[0]?.from ?? 0;
  const last = bins.at(-1)?.to ?? 1;
  const most = Math.max(1, ...bins.map((bin) => bin.count));
  const x = linear([first, last], [MARGIN.left, width - MARGIN.right]);
  const labels = placed(marks, x, width);
  const top = MARGIN.top + ROW * Math.max(0, ...labels.map((one) => one.row));
  const ticks = Math.min(4, most); // counts have no halves
  const y = linear([0, most], [HEIGHT - MARGIN.bottom, top]).nice(ticks);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for the fields of a form
    <div
      ref={frame}
      className="rft-chart"
      role="group"
      aria-label={label}
      style={{ height: HEIGHT }}
    >
      <svg width={width} height={HEIGHT} aria-hidden>
        <Axes x={x} y={y} xTicks={Math.min(bins.length, Math.floor(width / 50))} yTicks={ticks} />
      </svg>
      {bins.map((bin) => {
        const left = x(bin.from) + 1;
        const height = y(0) - y(bin.count);
        const place = { left, width: Math.max(2, x(bin.to) - left - 1) };
        const name = `${tick(bin.from)} to ${tick(bin.to)}: ${counted(bin.count, "answer")}`;
        const bar = <span style={{ height: Math.max(bin.count > 0 ? 2 : 0, height) }} />;
        const box = { ...place, top, height: y(0) - top };
        return onBin && bin.count > 0 ? (
          <button
            key={bin.from}
            type="button"
            className="rft-chart-bin"
            style={box}
            aria-label={name}
            title={name}
            onClick={() => onBin(bin)}
          >
            {bar}
          </button>
        ) : (
          <span
            key={bin.from}
            className="rft-chart-bin"
            style={box}
            role="img"
            aria-label={name}
            title={name}
          >
            {bar}
          </span>
        );
      })}
      {labels.length > 0 && (
        <svg className="rft-chart-marks" width={width} height={HEIGHT} aria-hidden>
          {labels.map(({ label, at, row, isLeft }) => (
            <g key={label} transform={`translate(${at} 0)`} className="rft-chart-mark">
              <line y1={10 + ROW * row - 8} y2={HEIGHT - MARGIN.bottom} />
              <text y={10 + ROW * row} textAnchor={isLeft ? "end" : "start"} dx={isLeft ? -4 : 4}>
                {label}
              </text>
            </g>
          ))}
        </svg>
      )}
      {marks.length > 0 && (
        <span className="rft-hidden">
          {marks.map((mark) => `${mark.label}: ${tick(mark.at)}`).join(", ")}
        </span>
      )}
      {bins.length === 0 && <span className="rft-hidden">{`${label}: ${count(0)}`}</span>}
    </div>
  );
}

interface Placed {
  readonly label: string;
  readonly at: number;
  /** Rows of labels above it. */
  readonly row: number;
  /** Whether the label stands to the left of its line. */
  readonly isLeft: boolean;
}

/** Labels beside their lines, each in the first row where it overlaps no other. */
function placed(marks: readonly Mark[], x: (value: number) => number, width: number): Placed[] {
  const ends: number[] = [];
  return [...marks]
    .sort((one, other) => one.at - other.at)
    .map(({ at: value, label }) => {
      const at = x(value);
      const long = label.length * LETTER + 8;
      const isLeft = at + long > width;
      const start = isLeft ? at - long : at;
      const free = ends.findIndex((end) => end <= start);
      const row = free < 0 ? ends.length : free;
      ends[row] = start + long;
      return { label, at, row, isLeft };
    });
}
