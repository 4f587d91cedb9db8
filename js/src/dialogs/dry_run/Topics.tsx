// Mean score of each topic with its interval.
import type { RecordsPreset, TopicOfRun, TopicScores } from "../../contract.gen";
import { count } from "../../ui/numbers";
import { bounds, score } from "./words";

interface Props {
  readonly scores: readonly TopicScores[];
  readonly topics: readonly TopicOfRun[];
  onRecords(preset: RecordsPreset): void;
}

export function Topics({ scores, topics, onRecords }: Props) {
  return (
    <section className="rft-card rft-dry-topics" aria-label="By topic">
      <h3 className="rft-section-title">
        By topic <small>click one for its records</small>
      </h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
      <section className="rft-dry-scroll" tabIndex={0} aria-label="Scores by topic">
        <table className="rft-dry-table">
          <thead>
            <tr>
              <th scope="col">Topic</th>
              <th scope="col" aria-label="Mean with its interval, drawn" />
              <th scope="col" className="rft-number">
                Mean
              </th>
              <th scope="col" className="rft-number">
                n
              </th>
            </tr>
          </thead>
          <tbody>
            {scores.map((one, place) => {
              const topic = topics[place];
              return (
                <tr key={one.topic ?? ""}>
                  <th scope="row">
                    <button
                      type="button"
                      className="rft-dry-link"
                      title={one.topic ?? undefined}
                      onClick={() => topic && onRecords(topic.opens)}
                    >
                      {one.topic ?? "(no topic)"}
                    </button>
                  </th>
                  <td>
                    <Range scores={one} isLow={topic?.is_low ?? false} />
                  </td>
                  <td className="rft-number" title={bounds(one.mean)}>
                    {score(one.mean.estimate)}
                    <small>{bounds(one.mean)}</small>
                  </td>
                  <td className="rft-number">{count(one.count)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
    </section>
  );
}

interface RangeProps {
  readonly scores: TopicScores;
  readonly isLow: boolean;
}

const part = (value: number): string => `${100 * Math.min(1, Math.max(0, value))}%`;

/** The mean on a track from 0 to 1, with its interval as a bar. */
function Range({ scores: { mean }, isLow }: RangeProps) {
  const low = mean.low ?? mean.estimate;
  const high = mean.high ?? mean.estimate;
  return (
    <span className={isLow ? "rft-dry-range rft-tone-warn" : "rft-dry-range"} aria-hidden>
      <span style={{ left: part(low), right: part(1 - high) }} />
      <i style={{ left: part(mean.estimate) }} />
    </span>
  );
}
