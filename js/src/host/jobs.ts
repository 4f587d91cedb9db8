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

/** It has not ended: it runs, or waits for its turn. */
export const isAtWork = ({ status }: JobState): boolean =>
  status === "running" || status === "queued";

export interface Job {
  readonly state: JobState | null;
  readonly isRunning: boolean;
  stop(): void;
}

/** The work of a kind, or of one of several, that was asked for last; on this subject, if any. */
export function useJob(kind: string | readonly string[], subject = ""): Job {
  const rpc = useHost().rpc as unknown as Rpc<JobCalls>;
  const jobs = useTrait("jobs");
  // The newest stands last.
  const state = jobs?.findLast((job) => isOf(job.kind, kind) && job.subject === subject) ?? null;
  return useMemo(
    () => ({
      state,
      isRunning: state !== null && isAtWork(state),
      stop: () => state && rpc.tell("cancel_job", { job: state.id }),
    }),
    [state, rpc],
  );
}

/** Whether work that this page began is not among the jobs yet: it learns of it a moment later. */
export function useAwaited(begun: JobState | null): boolean {
  const jobs = useTrait("jobs") ?? NONE;
  if (begun === null) return false;
  const { kind, subject } = begun;
  return !jobs.some(
    (job) => job.kind === kind && job.subject === subject && beganAt(job) >= beganAt(begun),
  );
}

const beganAt = (job: JobState): number => Date.parse(job.started_at ?? job.created_at);

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
      if (isAtWork(job)) running.current.add(job.id);
      else if (!ended.current.has(job.id)) {
        ended.current.add(job.id);
        // What ended before anybody looked is no news.
        if (running.current.has(job.id) || Date.parse(job.created_at) > since) latest.current(job);
      }
    }
  }, [jobs, since]);
}

const isOf = (kind: string, wanted: string | readonly string[]): boolean =>
  typeof wanted === "string" ? kind === wanted : wanted.includes(kind);

const NONE: readonly JobState[] = [];
