import { count } from "../ui/numbers";
import { signedCount } from "./words";

export interface ChangeRow {
  readonly topic: string;
  /** Records. */
  readonly before: number;
  readonly after: number;
  readonly target: number | null;
}

/** Records of each topic now, what would come on top, and a tick where each should be then. */
export function BeforeAfter({ rows }: { readonly rows: readonly ChangeRow[] }) {
  const most = Math.max(1, ...rows.flatMap((row) => [row.before, row.after, row.target ?? 0]));
  const at = (value: number) => `${(100 * value) / most}%`;
  return (
    <ul className="rft-before-after">
      <li className="rft-change-row rft-change-head" aria-hidden>
        <span className="rft-change-key">
          <span className="rft-topic-bar rft-topic-none">
            <span style={{ width: "50%" }} />
            <b style={{ left: "50%", width: "50%" }} />
          </span>
          now and on top
          {rows.some((row) => row.target !== null) && ", with a tick at the target"}
        </span>
        <span>Then</span>
        <span>Change</span>
      </li>
      {rows.map(({ topic, before, after, target }) => {
        const wanted = target === null ? "" : `, target ${count(Math.round(target))}`;
        return (
          <li key={topic}>
            <span
              className="rft-change-row"
              role="img"
              aria-label={`${topic}: ${count(before)} now, ${count(after)} then${wanted}`}
            >
              <span className="rft-topic-bar-name" title={topic}>
                {topic}
              </span>
              <span className="rft-topic-bar rft-topic-none">
                <span style={{ width: at(Math.min(before, after)) }} />
                {after > before && <b style={{ left: at(before), width: at(after - before) }} />}
                {target !== null && <i style={{ left: at(target) }} />}
              </span>
              <span>{count(after)}</span>
              <span>{after === before ? "" : signedCount(after - before)}</span>
            </span>
          </li>
        );
      })}
    </ul>
  );
}
