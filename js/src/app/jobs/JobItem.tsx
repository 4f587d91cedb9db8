// A job in a list: how it stands, with what can be done about it, and what it said.
import { RotateCcw, Square } from "lucide-react";
import { useState } from "react";
import type { CallTotals, JobLine, JobState } from "../../contract.gen";
import { isAtWork } from "../../host/jobs";
import { useAction, useLoaded } from "../../host/loaded";
import { Badge, type Tone } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { percent } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { costWords } from "../../ui/spending";
import { ago, exact } from "../../ui/time";
import { useApp } from "../app_host";
import { Link } from "../routing";

const STATES: Record<JobState["status"], readonly [words: string, tone: Tone]> = {
  queued: ["Waiting", "idle"],
  running: ["Running", "busy"],
  succeeded: ["Finished", "ok"],
  failed: ["Failed", "bad"],
  cancelled: ["Stopped", "warn"],
};

interface Props {
  readonly line: JobLine;
  /** What asking models came to, where that is shown. */
  readonly cost?: CallTotals | null;
  /** A link in it was followed. */
  onLeave(): void;
}

export function JobItem({ line: { job, dataset }, cost, onLeave }: Props) {
  const { rpc } = useApp();
  const stop = useAction(() => rpc.call("stop_job", { job: job.id }));
  const retry = useAction(() => rpc.call("retry_job", { job: job.id }));
  const [hasLog, setLog] = useState(false);
  const [words, tone] = STATES[job.status];
  const at = job.finished_at ?? job.started_at ?? job.created_at;
  const canRetry = job.status === "failed" || job.status === "cancelled";
  const problem = stop.problem ?? retry.problem;
  return (
    <li className="rft-card rft-job-item">
      <div className="rft-row">
        <strong>{job.title}</strong>
        {job.dataset_id && dataset && (
          // biome-ignore lint/a11y/useKeyWithClickEvents lint/a11y/noStaticElementInteractions: of the link in it
          <span onClick={onLeave}>
            <Link to={{ page: "canvas", id: job.dataset_id }} className="rft-link">
              {dataset}
            </Link>
          </span>
        )}
        <span className="rft-note" title={exact(at)}>
          {ago(at)}
        </span>
        <span className="rft-job-state">
          <Badge tone={tone}>{words}</Badge>
        </span>
      </div>
      <JobWords job={job} />
      {cost && <p className="rft-note">{costWords(cost)}</p>}
      {isAtWork(job) && <Progress job={job} />}
      <div className="rft-row">
        {isAtWork(job) && (
          <Button
            icon={<Square size={12} aria-hidden />}
            isBusy={stop.isBusy}
            onClick={() => void stop.run()}
          >
            Stop
          </Button>
        )}
        {canRetry && (
          <Button
            icon={<RotateCcw size={12} aria-hidden />}
            isBusy={retry.isBusy}
            onClick={() => void retry.run()}
          >
            Retry
          </Button>
        )}
        <Button look="ghost" aria-expanded={hasLog} onClick={() => setLog(!hasLog)}>
          {hasLog ? "Hide Log" : "Log"}
        </Button>
      </div>
      {problem && <ProblemNote problem={problem} />}
      {hasLog && <JobLog job={job} />}
    </li>
  );
}

function JobWords({ job }: { readonly job: JobState }) {
  if (job.problem) {
    return (
      <p className="rft-tone-bad rft-job-problem">
        {job.problem.message} {job.problem.hint}
      </p>
    );
  }
  const text = job.status === "running" ? job.doing : job.outcome;
  return text ? <p className="rft-note">{text}</p> : null;
}

function Progress({ job: { title, share, status } }: { readonly job: JobState }) {
  if (status === "queued") return <p className="rft-note">It begins when others have ended.</p>;
  return (
    <div className="rft-job-progress">
      <progress
        className="rft-job-bar"
        max={1}
        aria-label={title}
        {...(share === null ? {} : { value: share })}
      />
      <span className="rft-job-share">{share === null ? "" : percent(share)}</span>
    </div>
  );
}

/** What happened, a line each. It is asked for anew when the job has come to something else. */
export function JobLog({ job }: { readonly job: JobState }) {
  const { rpc } = useApp();
  const lines = useLoaded((signal) => rpc.call("job_log", { job: job.id }, signal), {
    revision: job.attempts,
    subject: `${job.id} ${job.status} ${job.doing}`,
  });
  if (lines.problem) return <ProblemNote problem={lines.problem} onRetry={lines.reload} />;
  if (!lines.value) return <Skeleton lines={2} />;
  return (
    <ol className="rft-job-log" aria-label={`Log of ${job.title}`}>
      {lines.value.map(({ at, message }, index) => (
        <li key={index}>
          <time dateTime={at} title={exact(at)}>
            {new Date(at).toLocaleTimeString("en-GB")}
          </time>
          <span>{message}</span>
        </li>
      ))}
    </ol>
  );
}
