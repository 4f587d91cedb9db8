// Long work on the dataset of a view: how it stands, and how to stop it.
import { useEffect, useMemo, useRef } from "react";
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

/** Call back when work that was seen running has ended. */
export function useJobEnd(onEnd: (job: JobState) => void): void {
  const jobs = useTrait("jobs") ?? NONE;
  const running = useRef(new Set<string>());
  const latest = useRef(onEnd);
  latest.current = onEnd;
  useEffect(() => {
    for (const job of jobs) {
      if (job.status === "running") running.current.add(job.id);
      else if (running.current.delete(job.id)) latest.current(job);
    }
  }, [jobs]);
}

const NONE: readonly JobState[] = [];
