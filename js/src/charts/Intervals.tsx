import { bounds } from "../ui/rewards";

interface Spanned {
  readonly estimate: number;
  readonly low: number | null;
  readonly high: number | null;
}

export interface IntervalRow {
  readonly name: string;
  readonly value: Spanned;
  /** Shares are read in percent, other figures as they are. */
  readonly isShare?: boolean;
  /** What the figure is to be held against, with its words. */
  readonly mark?: { readonly at: number; readonly words: string };
}

const WIDTH = 240;
const HEIGHT = 22;

/** Figures of one scale, each with what it could as well be: the words, and beside them the span. */
export function Intervals({ caption, rows }: { caption: string; rows: readonly IntervalRow[] }) {
  const values = rows.flatMap(({ value, mark }) => [value.low ?? value.estimate, mark?.at ?? 0]);
  const least = Math.min(0, ...values);
  const x = (value: number) => ((value - least) / (1 - least)) * WIDTH;
  return (
    <table className="rft-table rft-intervals">
      <caption className="rft-hidden">{caption}</caption>
      <thead>
        <tr>
          <th scope="col">Measure</th>
          <th scope="col">Estimate</th>
          <th scope="col">95% interval</th>
          <th scope="col">
            <span className="rft-hidden">Drawn</span>
            <Ends least={least} />
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, value, isShare = false, mark }) => (
          <tr key={name}>
            <th scope="row">
              {name}
              {mark && <small>{mark.words}</small>}
            </th>
            <td>{isShare ? whole(value.estimate) : value.estimate.toFixed(2)}</td>
            <td>{(isShare ? shares(value) : bounds(value)) || "unknown"}</td>
            <td>
              <svg aria-hidden width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`}>
                <line className="rft-intervals-axis" x1={0} x2={WIDTH} y1={11} y2={11} />
                {mark && (
                  <line
                    className="rft-intervals-mark"
                    x1={x(mark.at)}
                    x2={x(mark.at)}
                    y1={2}
                    y2={20}
                  />
                )}
                {value.low !== null && value.high !== null && (
                  <line
                    className="rft-intervals-span"
                    x1={x(value.low)}
                    x2={Math.max(x(value.high), x(value.low) + 1)}
                    y1={11}
                    y2={11}
                  />
                )}
                <circle className="rft-intervals-dot" cx={x(value.estimate)} cy={11} r={4.5} />
              </svg>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Ends({ least }: { readonly least: number }) {
  return (
    <span className="rft-intervals-ends" aria-hidden>
      <span>{least < 0 ? least.toFixed(1).replace("-", "−") : "0"}</span>
      <span>1</span>
    </span>
  );
}

const whole = (value: number) => `${Math.round(100 * value)}%`;

function shares({ low, high }: Spanned): string {
  return low === null || high === null ? "" : `${whole(low)} to ${whole(high)}`;
}
