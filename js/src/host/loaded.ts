// What a view asks the kernel for, and how that stands.
import { useCallback, useEffect, useRef, useState } from "react";
import type { Problem } from "../contract.gen";
import { RpcError } from "./rpc";

export interface Loaded<V> {
  /** The last answer; it stays while a newer one is on its way. */
  readonly value: V | null;
  readonly problem: Problem | null;
  readonly isLoading: boolean;
  reload(): void;
}

export function asProblem(error: unknown): Problem {
  if (error instanceof RpcError) {
    return { code: error.code, message: error.message, hint: error.hint };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: "page", message, hint: null };
}

/**
 * Load a value, again whenever one of `keys` changes. Never two loads of the same keys at once:
 * what changes meanwhile is loaded when the first is there. A change of `subject` drops the value.
 */
export function useLoaded<V>(
  load: (signal: AbortSignal) => Promise<V>,
  { revision, subject = "" }: { readonly revision: number; readonly subject?: string },
): Loaded<V> {
  const [state, setState] = useState<Omit<Loaded<V>, "reload">>(EMPTY);
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const busy = useRef<{ subject: string; again: boolean } | null>(null);
  const shown = useRef(subject);

  useEffect(() => {
    if (busy.current?.subject === subject) {
      busy.current.again = true;
      return;
    }
    const mine = { subject, again: false };
    busy.current = mine;
    const life = new AbortController();
    aborts.current = life;
    if (shown.current !== subject) setState(EMPTY);
    shown.current = subject;
    const isCurrent = () => busy.current === mine;
    const run = async (): Promise<void> => {
      mine.again = false;
      setState((before) => ({ ...before, isLoading: true }));
      try {
        const value = await latest.current(life.signal);
        if (isCurrent()) setState({ value, problem: null, isLoading: mine.again });
      } catch (error) {
        if (isCurrent()) {
          setState((before) => ({ ...before, problem: asProblem(error), isLoading: mine.again }));
        }
      }
      if (isCurrent() && mine.again) await run();
      else if (isCurrent()) busy.current = null;
    };
    void run();
  }, [revision, turn, subject]);

  const aborts = useRef<AbortController | null>(null);
  useEffect(
    () => () => {
      busy.current = null;
      aborts.current?.abort();
    },
    [],
  );

  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return { ...state, reload };
}

const EMPTY = { value: null, problem: null, isLoading: true };

export interface Action<A extends unknown[]> {
  readonly isBusy: boolean;
  readonly problem: Problem | null;
  run(...args: A): Promise<boolean>;
  clear(): void;
}

/** A command: one at a time, with what went wrong in words. `run` tells whether it went well. */
export function useAction<A extends unknown[]>(
  command: (...args: A) => Promise<unknown>,
): Action<A> {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const latest = useRef(command);
  latest.current = command;
  const busy = useRef(false);
  const run = useCallback(async (...args: A): Promise<boolean> => {
    if (busy.current) return false;
    busy.current = true;
    setBusy(true);
    setProblem(null);
    try {
      await latest.current(...args);
      return true;
    } catch (error) {
      setProblem(asProblem(error));
      return false;
    } finally {
      busy.current = false;
      setBusy(false);
    }
  }, []);
  const clear = useCallback(() => setProblem(null), []);
  return { isBusy, problem, run, clear };
}
