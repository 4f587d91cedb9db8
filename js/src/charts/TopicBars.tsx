import { count } from "../ui/numbers";
import { points, share, signedCount } from "./words";

export interface TopicRow {
  readonly topic: string;
  readonly count: number;
  /** Of the records under any topic (0..1). */
  readonly share: number;
  /** Share that it should have (0..1). */
  readonly target: number | null;
  readonly status: "ok" | "under" | "over" | "none";
  /** Target less share, in percentage points and in records. */
  readonly gap?: { readonly points: number; readonly records: number };
}

interface Props {
  readonly rows: readonly TopicRow[];
  onTopic?(topic: string): void;
}

const SIGNS: Record<TopicRow["status"], string> = { ok: "✓", under: "↓", over: "↑", none: "" };
const WORDS: Record<TopicRow["status"], string> = {
  ok: "As wanted",
  under: "Too few",
  over: "Too many",
  none: "",
};

/** The topics with their shares, a tick where each should be, and the figures beside. */
export function TopicBars({ rows, onTopic }: Props) {
  const most = Math.max(0.01, ...rows.flatMap((row) => [row.share, row.target ?? 0]));
  const at = (value: number) => `${(100 * value) / most}%`;
  const hasGaps = rows.some((row) => row.gap);
  return (
    <table className="rft-table rft-topic-bars">
      <thead>
        <tr>
          <th scope="col">Topic</th>
          <th scope="col">Records</th>
          <th scope="col">Share</th>
          <th scope="col">Target</th>
          {hasGaps && (
            <>
              <th scope="col">Gap, points</th>
              <th scope="col">Gap, records</th>
            </>
          )}
          <th scope="col">Status</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => {
          const inside = (
            <>
              <span className="rft-topic-bar-name" title={row.topic}>
                {row.topic}
              </span>
              <span className={`rft-topic-bar rft-topic-${row.status}`}>
                <span style={{ width: at(row.share) }} />
                {row.target !== null && <i style={{ left: at(row.target) }} />}
              </span>
            </>
          );
          return (
            <tr key={row.topic}>
              <th scope="row">
                {onTopic ? (
                  <button type="button" className="rft-bar-row" onClick={() => onTopic(row.topic)}>
                    {inside}
                  </button>
                ) : (
                  <span className="rft-bar-row">{inside}</span>
                )}
              </th>
              <td>{count(row.count)}</td>
              <td>{share(row.share)}</td>
              <td>{row.target === null ? "–" : share(row.target)}</td>
              {hasGaps && (
                <>
                  <td>{row.gap ? points(row.gap.points) : "–"}</td>
                  <td>{row.gap ? signedCount(row.gap.records) : "–"}</td>
                </>
              )}
              <td className={`rft-topic-status rft-topic-${row.status}`}>
                <b aria-hidden>{SIGNS[row.status]}</b> {WORDS[row.status]}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
