// Candidates while they come. Knows nothing of Jupyter.
import type { BatchView } from "../../contract.gen";
import type { Job } from "../../host/jobs";
import { JobProgress } from "../../ui/JobProgress";
import { count, counted } from "../../ui/numbers";
import { Stat, Stats } from "../../ui/Stat";
import { money } from "../../ui/spending";
import { strategyName } from "./words";

interface Props {
  readonly job: Job;
  /** Nothing until the work has begun. */
  readonly view: BatchView | null;
  /** A call in Python makes them, and no job. */
  readonly isElsewhere: boolean;
}

export function Running({ job, view, isElsewhere }: Props) {
  return (
    <div className="rft-generate-running">
      <JobProgress job={job} />
      {isElsewhere && (
        <p className="rft-note" role="status">
          Candidates come from a call in Python; it is stopped there.
        </p>
      )}
      {view && <Progress view={view} />}
      <p className="rft-note">
        What comes is kept at once: this dialog and its page may be closed, and what was stopped
        goes on without paying twice.
      </p>
    </div>
  );
}

function Progress({ view: { state, spent } }: { readonly view: BatchView }) {
  const faulty = state.candidates - state.good;
  return (
    <>
      <Stats>
        <Stat label="Generated" value={count(state.good)} note={`of ${count(state.plan.total)}`} />
        <Stat label="With a fault" value={count(faulty)} note="replaced where they can be" />
        {spent && (
          <Stat
            label="Spent"
            value={money(spent.cost_micro_usd)}
            note={`${counted(spent.calls, "call")} of ${state.model}`}
          />
        )}
      </Stats>
      <table className="rft-table rft-generate-progress">
        <thead>
          <tr>
            <th scope="col">Topic</th>
            <th scope="col">Progress</th>
            <th scope="col">Generated</th>
            <th scope="col">With a fault</th>
            <th scope="col">Strategy</th>
          </tr>
        </thead>
        <tbody>
          {state.topics.map(({ topic, good, faulty: wrong, to_generate, strategy }) => (
            <tr key={topic}>
              <th scope="row">{topic}</th>
              <td>
                <progress
                  className="rft-job-bar"
                  max={Math.max(1, to_generate)}
                  value={Math.min(good, to_generate)}
                  aria-label={`${topic}: ${good} of ${to_generate}`}
                />
              </td>
              <td>{`${count(good)} of ${count(to_generate)}`}</td>
              <td>{count(wrong)}</td>
              <td>{strategyName(strategy)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
