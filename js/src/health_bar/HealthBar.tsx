// The validity of the records. Knows nothing of Jupyter: report in, `onViewIssues` out.
import type { HealthReport } from "../contract.gen";
import { counted, percent } from "../ui/numbers";

export interface HealthBarProps {
  readonly report: HealthReport;
  readonly activity: string;
  onViewIssues(): void;
  /** Show the imports with the lines that they refused. */
  onViewImports(): void;
}

const WORDS: Record<HealthReport["status"], string> = {
  empty: "No records yet",
  healthy: "Healthy",
  attention: "Needs attention",
  warning: "Many records are invalid",
};

const ICONS: Record<HealthReport["status"], string> = {
  empty: "M4 8h8",
  healthy: "M3.5 8.5l3 3 6-6.5",
  attention: "M8 4v5M8 11.5v.5",
  warning: "M4.5 4.5l7 7M11.5 4.5l-7 7",
};

export function HealthBar({ report, activity, onViewIssues, onViewImports }: HealthBarProps) {
  const { status, total, valid, invalid, duplicates } = report;
  return (
    <section className={`rft-health rft-health-${status}`} aria-label="Validity of the records">
      <div className="rft-health-row">
        <svg className="rft-health-icon" viewBox="0 0 16 16" aria-hidden="true">
          <path d={ICONS[status]} />
        </svg>
        <div className="rft-health-facts" role="status">
          <strong>{WORDS[status]}</strong>
          {total > 0 && <span>{counted(valid, "valid record")}</span>}
          {invalid > 0 && (
            <span className="rft-health-invalid">
              {`${counted(invalid, "invalid", "invalid")} (${percent(invalid / total)})`}
            </span>
          )}
          {duplicates > 0 && <span>{counted(duplicates, "duplicate")}</span>}
          {report.refused_lines > 0 && (
            <button type="button" className="rft-link" onClick={onViewImports}>
              {counted(report.refused_lines, "line")} refused
            </button>
          )}
          {activity && <span className="rft-health-activity">{activity}</span>}
        </div>
        {invalid > 0 && (
          <button type="button" className="rft-button" onClick={onViewIssues}>
            View Issues
          </button>
        )}
      </div>
      {report.recommendations.length > 0 && (
        <ul className="rft-health-advice">
          {report.recommendations.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
    </section>
  );
}
