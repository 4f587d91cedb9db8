// Whether the kernel behind a view is there. Jupyter's connection to it tells, and the server; nothing
// is asked of the kernel itself, which may be busy.
import { useCallback, useEffect, useState } from "react";
import { useHost } from "./bridge";
import { type Kernel, kernelOf } from "./kernel";

export type ConnectionStatus = "connected" | "reconnecting" | "gone";

export interface Connection {
  readonly status: ConnectionStatus;
  /** Try at once. */
  retry(): void;
}

const ENDED = new Set(["dead", "terminating"]);
const PATIENCE_MS = 1_500;
const EVERY_MS = 5_000;
const WHILE_AWAY_MS = 2_000;

/**
 * Follow the connection. A server that ends a kernel does not always end its connection: where
 * `isAsked`, the server is asked from time to time whether it still has the kernel.
 */
export function useConnection(isAsked: boolean): Connection {
  const { model } = useHost();
  const kernel = kernelOf(model);
  const [status, setStatus] = useState<ConnectionStatus>("connected");
  const [turn, setTurn] = useState(0);

  useEffect(() => {
    if (!kernel) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      clearTimeout(timer);
      if (ENDED.has(kernel.status)) setStatus("gone");
      else if (kernel.connectionStatus === "connected") setStatus(unlessGone("connected"));
      // A moment is no news; whoever comes back from sleep sees it for as long as it takes.
      else timer = setTimeout(() => setStatus(unlessGone("reconnecting")), PATIENCE_MS);
    };
    kernel.connectionStatusChanged.connect(look);
    kernel.statusChanged.connect(look);
    look();
    return () => {
      clearTimeout(timer);
      kernel.connectionStatusChanged.disconnect(look);
      kernel.statusChanged.disconnect(look);
    };
  }, [kernel]);

  // Jupyter's own tries end after a while, and do not tell a server that is away from a kernel that
  // is gone.
  const isAway = status === "reconnecting";
  useEffect(() => {
    if (!kernel || status === "gone" || !(isAway || isAsked)) return;
    const life = new AbortController();
    const ask = async () => {
      if (document.visibilityState === "hidden") return;
      const found = await answerOf(kernel, life.signal);
      if (life.signal.aborted) return;
      if (found === "gone") setStatus("gone");
      else if (found === "away") setStatus("reconnecting");
      else if (kernel.connectionStatus === "connected") setStatus("connected");
      else await kernel.reconnect().catch(() => {});
    };
    if (isAway || turn > 0) void ask();
    const timer = setInterval(ask, isAway ? WHILE_AWAY_MS : EVERY_MS);
    document.addEventListener("visibilitychange", ask, { signal: life.signal });
    return () => {
      clearInterval(timer);
      life.abort();
    };
  }, [kernel, status, isAway, isAsked, turn]);

  const retry = useCallback(() => setTurn((before) => before + 1), []);
  return { status, retry };
}

const unlessGone =
  (next: ConnectionStatus) =>
  (before: ConnectionStatus): ConnectionStatus =>
    before === "gone" ? before : next;

/** Whether the server has the kernel; it has not, either, where it no longer knows who asks. */
async function answerOf(kernel: Kernel, signal: AbortSignal): Promise<"there" | "gone" | "away"> {
  const base = kernel.serverSettings?.baseUrl;
  if (!base) return "away";
  try {
    const answer = await fetch(`${base}api/kernels/${kernel.id}`, { signal, cache: "no-store" });
    if (answer.ok) return "there";
    return answer.status === 404 || answer.status === 403 ? "gone" : "away";
  } catch {
    return "away";
  }
}
