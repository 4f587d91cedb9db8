import type { ReactNode } from "react";
import type { TrainingReport } from "../../contract.gen";
import { counted } from "../../ui/numbers";
import { bounds, reward, signed, signedBounds, signedPercent } from "../../ui/rewards";
import { Stat, Stats } from "../../ui/Stat";
import { Changes } from "./Changes";
import { Examples } from "./Examples";
import { OUTCOME_TONES, OUTCOME_WORDS } from "./outcome";

interface Props {
  readonly report: TrainingReport;
  /** The curve. */
  readonly children: ReactNode;
}

/** What came of a run: overall, beside the recorded answers, by topic, and in examples. */
export function Result({ report, children }: Props) {
  const { change, recorded, against_recorded: against, outcome, excluded } = report;
  const left = excluded.no_candidate + excluded.failed_grading;
  return (
    <>
      <section
        className={`rft-training-outcome rft-tone-${OUTCOME_TONES[outcome]}`}
        aria-label="Outcome"
      >
        <strong>
          {report.overfitting ? `${OUTCOME_WORDS[outcome]}, overfitting` : OUTCOME_WORDS[outcome]}
        </strong>
        <p>{report.summary}</p>
        {report.notes.map((note) => (
          <p key={note} className="rft-note">
            {note}
          </p>
        ))}
      </section>
      {change && (
        <Stats>
          <Stat label="Baseline" value={reward(change.before_mean)} note={report.baseline} />
          <Stat label="Final" value={reward(change.after_mean)} note="the served model" />
          <Stat
            label="Difference"
            value={signed(change.difference.estimate)}
            note={signedBounds(change.difference)}
          />
          <Stat
            label={change.verdict === "improved" ? "Improvement" : "Relative change"}
            value={change.relative ? signedPercent(change.relative.estimate) : "–"}
            note={relativeBounds(change.relative)}
          />
          <Stat
            label="Your system's answers"
            value={reward(recorded?.estimate ?? null)}
            note={recorded ? bounds(recorded) : "none"}
          />
          <Stat
            label="Against your answers"
            value={against ? signed(against.difference.estimate) : "–"}
            note={against ? signedBounds(against.difference) : null}
          />
        </Stats>
      )}
      {outcome === "not_measured" ? (
        <p className="rft-note">
          Deploy it, then measure it there: both models answer the validation prompts, and your
          grader compares them.
        </p>
      ) : (
        <p className="rft-note">
          {`Measured on ${counted(change?.n ?? 0, "validation prompt")} that training never saw, in pairs; brackets are 95 % intervals.`}
          {left > 0 &&
            ` Left out: ${excluded.no_candidate} without an answer to give, ${excluded.failed_grading} whose grading failed.`}
        </p>
      )}
      {children}
      <Changes topics={report.topics} />
      <Examples examples={report.examples} />
    </>
  );
}

function relativeBounds(relative: { low: number | null; high: number | null } | null): string {
  if (relative === null || relative.low === null || relative.high === null) return "";
  return `[${signedPercent(relative.low)}, ${signedPercent(relative.high)}]`;
}
