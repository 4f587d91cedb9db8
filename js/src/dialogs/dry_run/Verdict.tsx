// The verdict of a dry run, why, and what to fix first.
import type { DryRunReport } from "../../contract.gen";
import { Badge } from "../../ui/Badge";
import { count } from "../../ui/numbers";
import { LEVEL_TONES, LEVEL_WORDS, QUALITY_TONES, VERDICT_TONES, VERDICT_WORDS } from "./words";

interface Props {
  readonly report: DryRunReport;
}

const WORST_FIRST = { fail: 0, warn: 1, good: 2 } as const;

export function VerdictBanner({ report }: Props) {
  const { verdict, answers, planned } = report;
  const reasons = report.checks
    .filter((check) => check.level !== "good")
    .sort((one, other) => WORST_FIRST[one.level] - WORST_FIRST[other.level]);
  return (
    <section
      className={`rft-dry-verdict rft-tone-${VERDICT_TONES[verdict]}`}
      aria-label={`Verdict: ${verdict}`}
    >
      <div className="rft-dry-verdict-main">
        <p className="rft-dry-verdict-head">
          <strong className="rft-dry-verdict-word">{verdict}</strong>
          <span>{VERDICT_WORDS[verdict]}</span>
        </p>
        {answers < planned && (
          <p className="rft-dry-warning">
            {`Partial: ${count(answers)} of ${count(planned)} answers were graded.`}
          </p>
        )}
        {reasons.length > 0 && (
          <ul className="rft-dry-reasons" aria-label="Reasons">
            {reasons.map((check) => (
              <li key={check.name}>
                <Badge tone={LEVEL_TONES[check.level]}>{LEVEL_WORDS[check.level]}</Badge>
                <span>{check.sentence}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
      <dl className="rft-dry-quality">
        <Quality label="Grader quality" value={report.grader_quality} />
        <Quality label="Dataset quality" value={report.dataset_quality} />
      </dl>
      {verdict !== "GO" && (
        <p className="rft-dry-first">
          <strong>What to fix first</strong> {report.fix_first}
        </p>
      )}
    </section>
  );
}

interface QualityProps {
  readonly label: string;
  readonly value: DryRunReport["grader_quality"];
}

function Quality({ label, value }: QualityProps) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <Badge tone={QUALITY_TONES[value]}>{value}</Badge>
      </dd>
    </div>
  );
}
