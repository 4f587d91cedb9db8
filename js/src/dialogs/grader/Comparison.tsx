// A grader beside people's labels, or beside another version.
import type { ComparisonView } from "../../contract.gen";
import { Badge } from "../../ui/Badge";
import { count } from "../../ui/numbers";
import { NO_TOPIC, reward } from "../../ui/rewards";
import { Stat, Stats } from "../../ui/Stat";

interface Props {
  readonly found: ComparisonView;
  readonly isOld: boolean;
}

export function Comparison({ found, isOld }: Props) {
  return (
    <section className="rft-grader-test" aria-label={`Compared with ${found.against}`}>
      <p className="rft-grader-sentence" role="status">
        {found.sentence}
      </p>
      {isOld && (
        <p className="rft-row">
          <Badge tone="warn">Of the grader before your last changes</Badge>
        </p>
      )}
      <Stats>
        {found.figures.map(({ name, value, note }) => (
          <Stat key={name} label={name} value={value} note={note} />
        ))}
      </Stats>
      {found.topics.length > 1 && (
        <table className="rft-grader-table">
          <thead>
            <tr>
              <th scope="col">Topic</th>
              <th scope="col">Answers</th>
              <th scope="col">Before</th>
              <th scope="col">After</th>
              <th scope="col">Difference</th>
              <th scope="col" />
            </tr>
          </thead>
          <tbody>
            {found.topics.map((row) => (
              <tr key={row.topic ?? ""}>
                <th scope="row">{row.topic ?? NO_TOPIC}</th>
                <td>{count(row.n)}</td>
                <td>{reward(row.before)}</td>
                <td>{reward(row.after)}</td>
                <td>{row.difference}</td>
                <td className="rft-note">{row.verdict}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
