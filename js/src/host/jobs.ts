// Long work on the dataset of a view: how it stands, and how to stop it.
import { useEffect, useMemo, useRef, useState } from "react";
import type { JobState } from "../contract.gen";
import { useHost, widgetHooks } from "./bridge";
import type { Rpc } from "./rpc";

interface JobTraits {
  readonly jobs: readonly JobState[];
}

interface JobCalls {
  cancel_job: { params: { readonly job: string }; result: boolean };
}

const { useTrait } = widgetHooks<JobTraits, JobCalls>();

export interface Job {
  readonly state: JobState | null;
  readonly isRunning: boolean;
  stop(): void;
}

/** The work of a kind that was started last. */
export function useJob(kind: string): Job {
  const rpc = useHost().rpc as unknown as Rpc<JobCalls>;
  const jobs = useTrait("jobs");
  const state = jobs?.find((job) => job.kind === kind) ?? null;
  return useMemo(
    () => ({
      state,
      isRunning: state?.status === "running",
      stop: () => state && rpc.tell("cancel_job", { job: state.id }),
    }),
    [state, rpc],
  );
}

/** Call back when work has ended that was seen running, or that was quicker than one could see. */
export function useJobEnd(onEnd: (job: JobState) => void): void {
  const jobs = useTrait("jobs") ?? NONE;
  const [since] = useState(() => Date.now());
  const running = useRef(new Set<string>());
  const ended = useRef(new Set<string>());
  const latest = useRef(onEnd);
  latest.current = onEnd;
  useEffect(() => {
    for (const job of jobs) {
      if (job.status === "running") running.current.add(job.id);
      else if (!ended.current.has(job.id)) {
        ended.current.add(job.id);
        // What ended before anybody looked is no news.
        if (running.current.has(job.id) || Date.parse(job.started_at) > since) latest.current(job);
      }
    }
  }, [jobs, since]);
}

const NONE: readonly JobState[] = [];
