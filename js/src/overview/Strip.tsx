// Long work and downloads while they run: one line each, with a way to stop it.
import type { JobState } from "../contract.gen";
import type { Downloading } from "../host/download";
import { isAtWork } from "../host/jobs";
import { JobProgress } from "../ui/JobProgress";
import { bytes } from "../ui/numbers";

interface Props {
  readonly jobs: readonly JobState[];
  readonly download: Downloading["progress"];
  onStop(job: string): void;
  onStopDownload(): void;
}

export function Strip({ jobs, download, onStop, onStopDownload }: Props) {
  const running = jobs.filter(isAtWork);
  if (running.length === 0 && !download) return null;
  return (
    <div className="rft-strip">
      {running.map((state) => (
        <JobProgress
          key={state.id}
          job={{ state, isRunning: true, stop: () => onStop(state.id) }}
        />
      ))}
      {download && (
        <JobProgress job={{ state: asJob(download), isRunning: true, stop: onStopDownload }} />
      )}
    </div>
  );
}

function asJob({ received, size }: NonNullable<Downloading["progress"]>): JobState {
  return {
    id: "download",
    kind: "download",
    title: "Download",
    status: "running",
    ...{
      dataset_id: null,
      subject: "",
      created_at: "",
      started_at: null,
      finished_at: null,
      attempts: 0,
    },
    share: size > 0 ? received / size : null,
    doing: size > 0 ? `${bytes(received)} of ${bytes(size)}` : "The file is being written",
    outcome: "",
    problem: null,
  };
}
