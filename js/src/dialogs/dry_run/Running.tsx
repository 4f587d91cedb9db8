// A dry run under way: what its scores look like so far.

import { Histogram } from "../../charts";
import type { PipelineNode, ScoresSoFar } from "../../contract.gen";
import type { Job } from "../../host/jobs";
import { JobProgress } from "../../ui/JobProgress";
import { count, percent } from "../../ui/numbers";
import { Stat, Stats } from "../../ui/Stat";
import { score } from "./words";

interface Props {
  readonly job: Job;
  readonly node: PipelineNode | null;
  readonly scores: ScoresSoFar | null;
}

export function Running({ job, node, scores }: Props) {
  const bins = (scores?.histogram ?? Array<number>(10).fill(0)).map((number, place) => ({
    from: place / 10,
    to: (place + 1) / 10,
    count: number,
  }));
  const mean = scores?.mean ?? null;
  return (
    <div className="rft-dry-running">
      {job.isRunning ? <JobProgress job={job} /> : <Elsewhere node={node} />}
      <Stats>
        <Stat label="Scored so far" value={count(scores?.scored ?? 0)} />
        <Stat label="Running mean" value={score(mean)} />
        <Stat label="Without a score" value={count(scores?.failed ?? 0)} />
      </Stats>
      <section className="rft-card">
        <h3 className="rft-section-title">Scores so far</h3>
        <Histogram
          bins={bins}
          label="Scores so far"
          {...(mean === null ? {} : { marks: [{ at: mean, label: `mean ${score(mean)}` }] })}
        />
      </section>
      <p className="rft-note">
        Every graded answer is kept as it comes: this dialog may be closed, and a run that is
        stopped can be resumed.
      </p>
    </div>
  );
}

/** Work that another process began: it is shown, and stopped where it was begun. */
function Elsewhere({ node }: { readonly node: PipelineNode | null }) {
  const share = node?.progress ?? null;
  return (
    <div className="rft-job" role="status">
      <span className="rft-job-words">
        <strong>Dry run</strong>{" "}
        {node?.status === "processing" ? "in another process" : "starting…"}
      </span>
      <progress
        className="rft-job-bar"
        max={1}
        aria-label="Dry run"
        {...(share === null ? {} : { value: share })}
      />
      <span className="rft-job-share">{share === null ? "" : percent(share)}</span>
    </div>
  );
}
