// The paired difference of two runs, over all and by topic.
import type { PairedDifference, RunComparison } from "../../contract.gen";
import { Badge } from "../../ui/Badge";
import { count } from "../../ui/numbers";
import { bounds, CHANGE_TONES, CHANGE_WORDS, score, signed } from "./words";

export function Comparison({ found }: { readonly found: RunComparison }) {
  const { overall, matched, unscored, only_before, only_after } = found;
  return (
    <div className="rft-dry-comparison">
      <p className="rft-row">
        <Badge tone={CHANGE_TONES[overall.verdict]}>{CHANGE_WORDS[overall.verdict]}</Badge>
        <strong>{`${signed(overall.difference.estimate)} ${bounds(overall.difference, signed)}`}</strong>
        <span className="rft-note">
          {`on ${count(matched)} that both scored; ${count(only_before)} only in the other run, ` +
            `${count(only_after)} only in this one, ${count(unscored)} without a score in one`}
        </span>
      </p>
      <table className="rft-dry-table" aria-label="Difference of the two runs">
        <thead>
          <tr>
            <th scope="col">Topic</th>
            <th scope="col" className="rft-number">
              n
            </th>
            <th scope="col" className="rft-number">
              Other run
            </th>
            <th scope="col" className="rft-number">
              This run
            </th>
            <th scope="col" className="rft-number">
              Difference
            </th>
            <th scope="col">Interval</th>
            <th scope="col" className="rft-number">
              p
            </th>
            <th scope="col">Verdict</th>
          </tr>
        </thead>
        <tbody>
          <Line topic="All" pair={overall} p={overall.p_value} verdict={overall.verdict} />
          {found.topics.map((one) => (
            <Line
              key={one.topic ?? ""}
              topic={one.topic ?? "(no topic)"}
              pair={one.difference}
              p={one.adjusted_p_value}
              verdict={one.verdict}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface LineProps {
  readonly topic: string;
  readonly pair: PairedDifference;
  readonly p: number;
  readonly verdict: keyof typeof CHANGE_WORDS;
}

function Line({ topic, pair, p, verdict }: LineProps) {
  return (
    <tr>
      <th scope="row">{topic}</th>
      <td className="rft-number">{count(pair.n)}</td>
      <td className="rft-number">{score(pair.before_mean)}</td>
      <td className="rft-number">{score(pair.after_mean)}</td>
      <td className="rft-number">{signed(pair.difference.estimate)}</td>
      <td>{bounds(pair.difference, signed)}</td>
      <td className="rft-number">{p < 0.001 ? "<0.001" : p.toFixed(3)}</td>
      <td>
        <Badge tone={CHANGE_TONES[verdict]}>{CHANGE_WORDS[verdict]}</Badge>
      </td>
    </tr>
  );
}
