import { Square } from "lucide-react";
import type { Job } from "../host/jobs";
import { Button } from "./Button";
import { percent } from "./numbers";
import { ProblemNote } from "./ProblemNote";

interface Props {
  readonly job: Job;
  readonly onRetry?: () => void;
}

/** Long work while it runs, with a way to stop it; afterwards only what went wrong. */
export function JobProgress({ job, onRetry }: Props) {
  const { state } = job;
  if (!state) return null;
  if (state.status === "failed" && state.problem) {
    return <ProblemNote problem={state.problem} {...(onRetry ? { onRetry } : {})} />;
  }
  if (state.status === "cancelled") {
    return <p className="rft-note">{`${state.title}: stopped. ${state.outcome}`}</p>;
  }
  if (!job.isRunning) return null;
  const { share } = state;
  return (
    <div className="rft-job" role="status">
      <span className="rft-job-words">
        <strong>{state.title}</strong>{" "}
        {state.status === "queued" ? "waits for its turn" : state.doing}
      </span>
      <progress
        className="rft-job-bar"
        max={1}
        aria-label={state.title}
        {...(share === null ? {} : { value: share })}
      />
      <span className="rft-job-share">{share === null ? "" : percent(share)}</span>
      <Button icon={<Square size={12} aria-hidden />} onClick={job.stop}>
        Stop
      </Button>
    </div>
  );
}
