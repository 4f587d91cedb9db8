// What the kernel says of the draft, a moment after each change.
import { useEffect, useRef, useState } from "react";
import type { GraderCheck, Problem } from "../../contract.gen";
import { asProblem } from "../../host/loaded";
import type { JudgedAt } from "./draft";

const CHECK_AFTER_MS = 350;

export interface Given {
  readonly grader: string;
  readonly connection: JudgedAt | null;
}

export interface Checking {
  /** What was said last, of this draft or, while the kernel is at work, of one before. */
  readonly found: GraderCheck | null;
  readonly problem: Problem | null;
}

type Check = (given: Given, signal: AbortSignal) => Promise<GraderCheck>;

/** Again when the dataset changes: its records may have other fields then. */
export function useCheck(given: Given | null, revision: number, check: Check): Checking {
  const [found, setFound] = useState<GraderCheck | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const latest = useRef({ given, check });
  latest.current = { given, check };
  const key = JSON.stringify(given);

  // `given` by what it says.
  useEffect(() => {
    const life = new AbortController();
    const timer = setTimeout(async () => {
      const { given: asked, check: ask } = latest.current;
      if (!asked) return;
      try {
        const answer = await ask(asked, life.signal);
        if (life.signal.aborted) return;
        setFound(answer);
        setProblem(null);
      } catch (error) {
        if (!life.signal.aborted) setProblem(asProblem(error));
      }
    }, CHECK_AFTER_MS);
    return () => {
      clearTimeout(timer);
      life.abort();
    };
  }, [key, revision]);

  return { found, problem };
}
