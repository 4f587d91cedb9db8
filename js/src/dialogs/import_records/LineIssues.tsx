// Faults of a file's lines as a table. Knows nothing of Jupyter.
import { Download } from "lucide-react";
import type { LineIssue } from "../../contract.gen";
import { Button } from "../../ui/Button";
import { count, counted } from "../../ui/numbers";

interface Props {
  readonly issues: readonly LineIssue[];
  /** Of all faults, where these are the first. */
  readonly total?: number;
  readonly isBusy: boolean;
  onDownload(format: "csv" | "json"): void;
}

export function LineIssues({ issues, total = issues.length, isBusy, onDownload }: Props) {
  if (issues.length === 0) return <p className="rft-note">No line has a fault.</p>;
  const more = total > issues.length ? ` (the first ${count(issues.length)} are shown)` : "";
  return (
    <div className="rft-issues">
      <div className="rft-row">
        <strong className="rft-issues-title">{`${counted(total, "fault")}${more}`}</strong>
        <Button
          icon={<Download size={14} aria-hidden />}
          isBusy={isBusy}
          onClick={() => onDownload("csv")}
        >
          Errors as CSV
        </Button>
        <Button
          icon={<Download size={14} aria-hidden />}
          isBusy={isBusy}
          onClick={() => onDownload("json")}
        >
          Errors as JSON
        </Button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
      <section className="rft-lines" aria-label="Errors of the lines" tabIndex={0}>
        <table className="rft-lines-table">
          <thead>
            <tr>
              <th scope="col" className="rft-number">
                Line
              </th>
              <th scope="col">Became</th>
              <th scope="col">Code</th>
              <th scope="col">What is wrong</th>
            </tr>
          </thead>
          <tbody>
            {issues.map((issue, index) => (
              <tr key={`${index}-${issue.line}`}>
                <td className="rft-number">{count(issue.line)}</td>
                <td>{issue.refused ? "refused" : "invalid record"}</td>
                <td className="rft-mono">{issue.code}</td>
                <td className="rft-wrap">{issue.message}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}
