// The scores of the coverage, each with what it means. Knows nothing of Jupyter.
import { type CoverageReport, SETTINGS } from "../../contract.gen";
import { Badge, type Tone } from "../../ui/Badge";
import { count, counted, percent } from "../../ui/numbers";
import { Stat, Stats } from "../../ui/Stat";

interface Props {
  readonly report: CoverageReport;
  /** Percentage; null while it is not known. */
  readonly nearDuplicates: number | null;
  readonly isComparing: boolean;
  readonly comparing: string | null;
  onUncategorized(): void;
}

const TONES: Record<string, Tone> = { Good: "ok", Fair: "warn", Poor: "bad" };

export const score = (value: number | null) => (value === null ? "–" : value.toFixed(2));

export function Band({ report }: { readonly report: CoverageReport }) {
  const band = report.balance_band;
  return band && <Badge tone={TONES[band] ?? "idle"}>{band}</Badge>;
}

export function Balance(props: Props) {
  const { report, nearDuplicates, isComparing, comparing, onUncategorized } = props;
  const { good_balance: good } = SETTINGS.coverage;
  const unsorted = report.uncategorized_records;
  const near = nearDuplicates === null ? "–" : percent(nearDuplicates / 100);
  return (
    <section className="rft-coverage-scores" aria-label="Scores">
      <div className="rft-card rft-coverage-balance">
        <div className="rft-row">
          Balance
          <strong>{score(report.balance_score)}</strong>
          <Band report={report} />
        </div>
        <div className={`rft-meter rft-tone-${TONES[report.balance_band ?? ""] ?? "idle"}`}>
          <span style={{ width: `${100 * (report.balance_score ?? 0)}%` }} />
          <i style={{ left: `${100 * good}%` }} />
        </div>
        <small>{`Target: > ${good} for good training. Smallest share over its target, divided by the largest.`}</small>
      </div>
      <Stats>
        <Stat label="Evenness" value={score(report.entropy)} note="entropy, 1 is all equal" />
        <Stat
          label="Closeness"
          value={score(report.closeness)}
          note="to the targets, 1 is on them"
        />
        <Stat
          label="Near-duplicates"
          value={isComparing && nearDuplicates === null ? "…" : near}
          note={comparing ?? "prompts that nearly repeat another"}
        />
        <Stat
          label="Without a topic"
          value={
            unsorted > 0 ? (
              <button
                type="button"
                className="rft-link"
                aria-label={`Show the ${counted(unsorted, "record")} without a topic`}
                onClick={onUncategorized}
              >
                {count(unsorted)}
              </button>
            ) : (
              "0"
            )
          }
          note={`${percent(report.uncategorized_percentage / 100)} of ${count(report.total_records)}`}
        />
      </Stats>
    </section>
  );
}
