// The history of dry runs, and two of them beside each other.
import type { Problem, RunComparison, RunLine } from "../../contract.gen";
import { Badge } from "../../ui/Badge";
import { count } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { ago, exact } from "../../ui/time";
import { Comparison } from "./Comparison";
import { score, VERDICT_TONES } from "./words";

export interface Compared {
  /** The run that the shown one is compared with. */
  readonly with: string | null;
  readonly value: RunComparison | null;
  readonly problem: Problem | null;
}

interface Props {
  readonly runs: readonly RunLine[];
  readonly shown: string;
  readonly compared: Compared;
  onShow(run: string): void;
  onCompare(run: string | null): void;
  onRetry(): void;
}

export function Runs({ runs, shown, compared, onShow, onCompare, onRetry }: Props) {
  const others = runs.filter((run) => run.verdict !== null && run.id !== shown);
  return (
    <div className="rft-dry-runs">
      <section aria-label="History">
        <h3 className="rft-section-title">History</h3>
        <table className="rft-dry-table">
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Verdict</th>
              <th scope="col" className="rft-number">
                Mean
              </th>
              <th scope="col" className="rft-number">
                Answers
              </th>
              <th scope="col">Asked for</th>
              <th scope="col">Grader</th>
              <th scope="col" aria-label="Actions" />
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => (
              <Line key={run.id} run={run} isShown={run.id === shown} onShow={onShow} />
            ))}
          </tbody>
        </table>
      </section>
      <section aria-label="Compare">
        <h3 className="rft-section-title">Compare</h3>
        {others.length === 0 ? (
          <p className="rft-note">
            A second run, such as with another grader, can be compared here.
          </p>
        ) : (
          <label className="rft-dry-compare">
            The shown run with
            <select
              className="rft-input"
              value={compared.with ?? ""}
              onChange={(event) => onCompare(event.currentTarget.value || null)}
            >
              <option value="">Choose a run…</option>
              {others.map((run) => (
                <option key={run.id} value={run.id}>
                  {`${exact(run.started_at)}: ${run.verdict}, mean ${score(run.mean)}, grader version ${run.grader_version}`}
                </option>
              ))}
            </select>
          </label>
        )}
        {compared.problem && <ProblemNote problem={compared.problem} onRetry={onRetry} />}
        {compared.with && !compared.value && !compared.problem && <Skeleton lines={4} />}
        {compared.value && <Comparison found={compared.value} />}
      </section>
    </div>
  );
}

interface LineProps {
  readonly run: RunLine;
  readonly isShown: boolean;
  onShow(run: string): void;
}

function Line({ run, isShown, onShow }: LineProps) {
  const { n, k, seed, answers, asked } = run.config;
  return (
    <tr aria-current={isShown || undefined}>
      <th scope="row" title={exact(run.started_at)}>
        {ago(run.started_at)}
      </th>
      <td>
        {run.verdict ? (
          <Badge tone={VERDICT_TONES[run.verdict]}>{run.verdict}</Badge>
        ) : (
          <Badge>Not finished</Badge>
        )}
      </td>
      <td className="rft-number">{score(run.mean)}</td>
      <td className="rft-number">{run.answers === null ? "–" : count(run.answers)}</td>
      <td>
        {`n ${count(n)}, k ${k}, seed ${seed}`}
        {answers === "model" && `, ${asked || "a model"} answered`}
      </td>
      <td>{`version ${run.grader_version}`}</td>
      <td>
        {isShown && <span className="rft-note">shown</span>}
        {!isShown && run.verdict && (
          <button
            type="button"
            className="rft-dry-link"
            aria-label={`Show the run of ${exact(run.started_at)}`}
            onClick={() => onShow(run.id)}
          >
            Show
          </button>
        )}
      </td>
    </tr>
  );
}
