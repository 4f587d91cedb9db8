import * as Radix from "@radix-ui/react-dialog";
import { X } from "lucide-react";
import type { JobState } from "../../contract.gen";
import { isAtWork } from "../../host/jobs";
import { useLoaded } from "../../host/loaded";
import { Empty } from "../../ui/Empty";
import { Overlay } from "../../ui/Overlay";
import { useApp } from "../app_host";
import { JobItem } from "./JobItem";

export function JobsPanel({ onClose }: { onClose(): void }) {
  const { jobs, rpc } = useApp();
  // As often as one of them ends or comes a percent further.
  const costs = useLoaded((signal) => rpc.call("job_costs", {}, signal), {
    revision: jobs.reduce((sum, { job }) => sum + stage(job), 0),
  });
  const groups = [
    ["At work", jobs.filter(({ job }) => isAtWork(job))],
    ["Ended", jobs.filter(({ job }) => !isAtWork(job))],
  ] as const;
  return (
    <Overlay shape="sheet" onClose={onClose}>
      <section className="rft-dialog">
        <header className="rft-dialog-head">
          <div className="rft-dialog-titles">
            <Radix.Title className="rft-dialog-title">Jobs</Radix.Title>
            <p className="rft-dialog-subtitle">
              They go on when you close this page, and after a restart.
            </p>
          </div>
          <button type="button" className="rft-icon-button" aria-label="Close" onClick={onClose}>
            <X size={16} aria-hidden />
          </button>
        </header>
        <div className="rft-dialog-body">
          {jobs.length === 0 && (
            <Empty title="No jobs yet">
              Imports, categorising, evaluations, dry runs and training show here while they run,
              and how they ended.
            </Empty>
          )}
          {groups.map(
            ([title, lines]) =>
              lines.length > 0 && (
                <section key={title} aria-label={title}>
                  <h3 className="rft-section-title">{title}</h3>
                  <ul className="rft-jobs">
                    {lines.map((line) => (
                      <JobItem
                        key={line.job.id}
                        line={line}
                        cost={costs.value?.[line.job.id] ?? null}
                        onLeave={onClose}
                      />
                    ))}
                  </ul>
                </section>
              ),
          )}
        </div>
      </section>
    </Overlay>
  );
}

const ENDED = 1_000;

function stage(job: JobState): number {
  return isAtWork(job) ? Math.floor((job.share ?? 0) * 100) : ENDED + job.attempts;
}
