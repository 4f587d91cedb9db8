import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { Axes, HiddenTable, MARGIN, tick, useWidth } from "./frame";
import { linear, type Scale } from "./scale";

export interface CurvePoint {
  readonly x: number;
  readonly y: number;
  /** Ends of the interval; null where there is none. */
  readonly low: number | null;
  readonly high: number | null;
}

export interface Curve {
  readonly name: string;
  readonly tone: "accent" | "busy" | "warn";
  readonly points: readonly CurvePoint[];
}

interface Props {
  readonly series: readonly Curve[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly baseline?: number | null;
  /** How values are read out; two digits behind the point by default. */
  readonly figure?: (value: number) => string;
}

const HEIGHT = 250;
const BOTTOM = 42; // numbers, and under them what they are
const DASHES: Record<Curve["tone"], string | undefined> = {
  accent: undefined,
  busy: "6 4",
  warn: "2 3",
};

/** Rewards over the steps of a training, with their intervals; arrow keys read them out. */
export function RewardCurves(props: Props) {
  const { series, xLabel, yLabel, baseline = null, figure = twoDigits } = props;
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const [at, setAt] = useState<number | null>(null);
  const points = series.flatMap((one) => one.points);
  const xs = [...new Set(points.map((point) => point.x))].sort((a, b) => a - b);
  const values = points.flatMap((p) => [p.y, p.low ?? p.y, p.high ?? p.y]);
  if (baseline !== null) values.push(baseline);
  const lowest = Math.min(...values);
  const [below, high] = padded(lowest, Math.max(...values));
  const low = lowest < 0 ? below : Math.max(0, below); // what is never negative has no such axis
  const x = linear(padded(xs[0] ?? 0, xs.at(-1) ?? 1, 0), [MARGIN.left, width - MARGIN.right]);
  const y = linear([low, high], [HEIGHT - BOTTOM, MARGIN.top]).nice(4);
  const shown = at === null ? null : (xs[Math.min(at, xs.length - 1)] ?? null);

  const move = (event: PointerEvent<HTMLDivElement>) => {
    const left = event.currentTarget.getBoundingClientRect().left;
    const value = x.invert(event.clientX - left);
    setAt(nearest(xs, value));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined || xs.length === 0) return;
    event.preventDefault();
    setAt((before) => Math.max(0, Math.min(xs.length - 1, (before ?? -1) + step)));
  };
  if (points.length === 0) return <p className="rft-note">No measurements yet.</p>;
  return (
    <div className="rft-curves">
      <Legend {...{ series, baseline, shown, xLabel, figure }} />
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for the fields of a form */}
      <div
        ref={frame}
        className="rft-chart"
        role="group"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys read the values out
        tabIndex={0}
        aria-label={`${yLabel} by ${xLabel}. Left and right arrow keys read the values.`}
        style={{ height: HEIGHT }}
        onPointerMove={move}
        onPointerLeave={() => setAt(null)}
        onKeyDown={onKeyDown}
      >
        <svg width={width} height={HEIGHT} aria-hidden>
          <Axes {...{ x, y, xLabel, yLabel }} xTicks={Math.min(8, xs.length)} yTicks={5} />
          {baseline !== null && (
            <line
              className="rft-curve-baseline"
              x1={MARGIN.left}
              x2={width - MARGIN.right}
              y1={y(baseline)}
              y2={y(baseline)}
            />
          )}
          {shown !== null && (
            <line
              className="rft-curve-at"
              x1={x(shown)}
              x2={x(shown)}
              y1={MARGIN.top}
              y2={HEIGHT - BOTTOM}
            />
          )}
          {series.map((one) => (
            <Line key={one.name} curve={one} {...{ x, y, shown }} />
          ))}
        </svg>
      </div>
      <HiddenTable
        caption={`${yLabel} by ${xLabel}`}
        head={[xLabel, ...series.map((one) => one.name)]}
        rows={xs.map((value) => [tick(value), ...series.map((one) => reading(one, value, figure))])}
      />
    </div>
  );
}

interface LineProps {
  readonly curve: Curve;
  readonly x: Scale;
  readonly y: Scale;
  readonly shown: number | null;
}

const MANY = 40; // points that are not marked one by one

function Line({ curve: { tone, points }, x, y, shown }: LineProps) {
  const isMany = points.length > MANY;
  const [only] = points.length === 1 ? points : [];
  const look = isMany ? "rft-curve-many" : "";
  return (
    <g className={`rft-curve rft-curve-${tone} ${look}`}>
      <path className="rft-curve-band" d={band(points, x, y)} />
      <path className="rft-curve-line" strokeDasharray={DASHES[tone]} d={path(points, x, y)} />
      {only && only.low !== null && only.high !== null && (
        <line
          className="rft-curve-alone"
          x1={x(only.x)}
          x2={x(only.x)}
          y1={y(only.low)}
          y2={y(only.high)}
        />
      )}
      {points
        .filter((point) => !isMany || point.x === shown)
        .map((point) => (
          <circle key={point.x} cx={x(point.x)} cy={y(point.y)} r={2.5} />
        ))}
    </g>
  );
}

interface LegendProps extends Pick<Props, "series" | "xLabel"> {
  figure(value: number): string;
  readonly baseline: number | null;
  readonly shown: number | null;
}

function Legend({ series, baseline, shown, xLabel, figure }: LegendProps) {
  return (
    <p className="rft-curve-legend" role="status">
      {series.map((one) => (
        <span key={one.name} className={`rft-curve-name rft-curve-${one.tone}`}>
          <svg width="22" height="8" aria-hidden>
            <line x1="0" x2="22" y1="4" y2="4" strokeDasharray={DASHES[one.tone]} />
          </svg>
          {one.name}
          {shown !== null && <strong>{reading(one, shown, figure)}</strong>}
        </span>
      ))}
      {baseline !== null && (
        <span className="rft-curve-name">{`Before training ${tick(round(baseline))}`}</span>
      )}
      {shown !== null && <span className="rft-curve-name">{`${xLabel} ${tick(shown)}`}</span>}
    </p>
  );
}

const twoDigits = (value: number): string => value.toFixed(2);

const round = (value: number) => Math.round(value * 1000) / 1000;

/** "0.62 [0.58, 0.66]", of the last point that is not after `at`. */
function reading(curve: Curve, at: number, figure: (value: number) => string): string {
  const point = curve.points.findLast((one) => one.x <= at);
  if (!point) return "–";
  const ends =
    point.low === null || point.high === null
      ? ""
      : ` [${figure(point.low)}, ${figure(point.high)}]`;
  return `${figure(point.y)}${ends}`;
}

type Corner = readonly [x: number, y: number];

/** An SVG path through corners. */
const through = (corners: readonly Corner[]) =>
  corners.map(([x, y], index) => `${index === 0 ? "M" : "L"}${x},${y}`).join("");

function path(points: readonly CurvePoint[], x: Scale, y: Scale): string {
  return through(points.map((point) => [x(point.x), y(point.y)]));
}

/** The area between the ends of the intervals, of the points that have one. */
function band(points: readonly CurvePoint[], x: Scale, y: Scale): string {
  const lows: Corner[] = [];
  const highs: Corner[] = [];
  for (const { x: at, low, high } of points) {
    if (low === null || high === null) continue;
    lows.push([x(at), y(low)]);
    highs.unshift([x(at), y(high)]);
  }
  return lows.length === 0 ? "" : `${through([...lows, ...highs])}Z`;
}

/** Bounds with some room, also around a single value. */
function padded(low: number, high: number, room = 0.08): readonly [number, number] {
  if (low === high) return [low - 0.5, high + 0.5];
  return [low - room * (high - low), high + room * (high - low)];
}

function nearest(xs: readonly number[], value: number): number | null {
  let best: number | null = null;
  xs.forEach((one, index) => {
    if (best === null || Math.abs(one - value) < Math.abs((xs[best] ?? 0) - value)) best = index;
  });
  return best;
}
