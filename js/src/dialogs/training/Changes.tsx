import type { TopicChange } from "../../contract.gen";
import { Badge } from "../../ui/Badge";
import { count } from "../../ui/numbers";
import { NO_TOPIC, reward, signed, signedBounds } from "../../ui/rewards";
import { Scroll } from "../../ui/Scroll";
import { OUTCOME_TONES, OUTCOME_WORDS } from "./outcome";

interface Props {
  readonly topics: readonly TopicChange[];
  /** Whether it has a heading of its own. */
  readonly isTitled?: boolean;
}

/** What changed topic by topic, from before to after, with how sure that is. */
export function Changes({ topics, isTitled = true }: Props) {
  if (topics.length === 0) return null;
  return (
    <section aria-label="By topic">
      {isTitled && <h3 className="rft-section-title">By topic</h3>}
      <Scroll label="Change by topic">
        <table className="rft-training-table">
          <thead>
            <tr>
              <th scope="col">Topic</th>
              <th scope="col" className="rft-number">
                Prompts
              </th>
              <th scope="col">Before → after</th>
              <th scope="col" className="rft-number">
                Before
              </th>
              <th scope="col" className="rft-number">
                After
              </th>
              <th scope="col" className="rft-number">
                Difference
              </th>
              <th scope="col">95 % interval</th>
              <th scope="col">Verdict</th>
            </tr>
          </thead>
          <tbody>
            {topics.map(({ topic, difference: one, verdict }) => (
              <tr key={topic ?? ""}>
                <th scope="row">{topic ?? NO_TOPIC}</th>
                <td className="rft-number">{count(one.n)}</td>
                <td>
                  <Track before={one.before_mean} after={one.after_mean} />
                </td>
                <td className="rft-number">{reward(one.before_mean)}</td>
                <td className="rft-number">{reward(one.after_mean)}</td>
                <td className="rft-number">{signed(one.difference.estimate)}</td>
                <td>{signedBounds(one.difference) || "too few"}</td>
                <td>
                  <Badge tone={OUTCOME_TONES[verdict]}>{OUTCOME_WORDS[verdict]}</Badge>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

/** Both means on a line from 0 to 1; the numbers stand beside it. */
function Track({ before, after }: { readonly before: number; readonly after: number }) {
  const [low, high] = before < after ? [before, after] : [after, before];
  const tone = after >= before ? "ok" : "bad";
  return (
    <span className={`rft-training-track rft-tone-${tone}`} aria-hidden>
      <i style={{ left: `${low * 100}%`, width: `${(high - low) * 100}%` }} />
      <b style={{ left: `${after * 100}%` }} />
    </span>
  );
}
