// A grader tried on a few answers: prompt, response and score side by side.
import type { GradedRow, TestView } from "../../contract.gen";
import { Badge, type Tone } from "../../ui/Badge";
import { count } from "../../ui/numbers";
import { reward } from "../../ui/rewards";
import { Stat, Stats } from "../../ui/Stat";

interface Props {
  readonly test: TestView;
  /** The draft has changed since. */
  readonly isOld: boolean;
}

export function TestResults({ test, isOld }: Props) {
  const { mean, std, minimum, maximum, failures, rows } = test;
  return (
    <section className="rft-grader-test" aria-label="Results of the test">
      <p className="rft-row rft-grader-verdict" role="status">
        <Badge tone={toneOf(test)}>{test.sentence}</Badge>
        {isOld && <Badge tone="warn">Of the grader before your last changes</Badge>}
      </p>
      <Stats>
        <Stat label="Mean" value={reward(mean)} />
        <Stat label="Std" value={reward(std)} />
        <Stat label="Min" value={reward(minimum)} />
        <Stat label="Max" value={reward(maximum)} />
        <Stat
          label="Failed"
          value={`${count(failures)} of ${count(rows.length)}`}
          note={failures > 0 ? "left out of the mean: not a zero" : null}
        />
      </Stats>
      <ol className="rft-grader-rows">
        {rows.map((row) => (
          <Row key={row.record_id} row={row} />
        ))}
      </ol>
    </section>
  );
}

function toneOf({ mean, differentiates }: TestView): Tone {
  if (mean === null) return "bad";
  return differentiates ? "ok" : "warn";
}

function Row({ row }: { readonly row: GradedRow }) {
  const hasFailed = row.reward === null;
  return (
    <li className="rft-grader-answer">
      <Part title="Prompt" text={row.prompt} />
      <Part title="Response" text={row.response} />
      <div className="rft-grader-score">
        <h4>Score</h4>
        <p className="rft-row">
          {hasFailed ? (
            <Badge tone="bad">Grading failed</Badge>
          ) : (
            <strong className="rft-grader-reward">{reward(row.reward)}</strong>
          )}
          {row.raw_reward !== null && row.raw_reward !== row.reward && (
            <span className="rft-note">{`${row.raw_reward} on its own scale`}</span>
          )}
          {row.topic !== null && <Badge>{row.topic}</Badge>}
        </p>
        {row.error !== null && <p className="rft-grader-wrong">{row.error}</p>}
        {row.flags.length > 0 && <p className="rft-note rft-mono">{row.flags.join(", ")}</p>}
        {row.parts.length > 0 && (
          <dl className="rft-grader-subs">
            {row.parts.map(({ name, reward: value }) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value === null ? "failed" : reward(value)}</dd>
              </div>
            ))}
          </dl>
        )}
        {row.reasoning !== null && <p className="rft-grader-reason">{row.reasoning}</p>}
      </div>
    </li>
  );
}

function Part({ title, text }: { readonly title: string; readonly text: string }) {
  return (
    <div>
      <h4>{title}</h4>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
      <section tabIndex={0} aria-label={title} className="rft-grader-text">
        {text || "(nothing)"}
      </section>
    </div>
  );
}
