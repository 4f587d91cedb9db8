// Files that the kernel has for the page: read in pieces, put together, and saved by the browser.
import { useCallback, useEffect, useRef, useState } from "react";
import type { Download, Problem } from "../contract.gen";
import { useHost } from "./bridge";
import { asProblem } from "./loaded";
import type { Rpc } from "./rpc";

interface DownloadCalls {
  read_download: {
    params: { readonly download: string; readonly offset: number };
    result: DataView;
  };
  drop_download: { params: { readonly download: string }; result: null };
}

const AT_ONCE = 2;

export interface Downloading {
  /** How far it is; `null` where nothing is under way, a size of 0 while the file is being made. */
  readonly progress: { readonly received: number; readonly size: number } | null;
  readonly problem: Problem | null;
  /** Have a file made, take it, and save it; its name, or `null` where that went wrong. */
  start(prepare: (signal: AbortSignal) => Promise<Download>): Promise<string | null>;
  stop(): void;
  clear(): void;
}

export function useDownload(): Downloading {
  const rpc = useHost().rpc as unknown as Rpc<DownloadCalls>;
  const [progress, setProgress] = useState<Downloading["progress"]>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const life = useRef<AbortController | null>(null);

  const start = useCallback<Downloading["start"]>(
    async (prepare) => {
      if (life.current) return null;
      const mine = new AbortController();
      life.current = mine;
      setProblem(null);
      setProgress({ received: 0, size: 0 });
      let made: Download | null = null;
      try {
        made = await prepare(mine.signal);
        save(await take(rpc, made, mine.signal, setProgress), made.name);
        return made.name;
      } catch (error) {
        if (!mine.signal.aborted) setProblem(asProblem(error));
        return null;
      } finally {
        if (made) rpc.tell("drop_download", { download: made.id });
        life.current = null;
        setProgress(null);
      }
    },
    [rpc],
  );
  useEffect(() => () => life.current?.abort(), []);
  const stop = useCallback(() => life.current?.abort(), []);
  const clear = useCallback(() => setProblem(null), []);
  return { progress, problem, start, stop, clear };
}

/** All bytes of a file, two pieces at a time. */
export async function take(
  rpc: Rpc<DownloadCalls>,
  { id, size, piece_bytes }: Download,
  signal: AbortSignal,
  onProgress: (progress: { readonly received: number; readonly size: number }) => void,
): Promise<Blob> {
  const parts: DataView<ArrayBuffer>[] = [];
  let next = 0;
  let received = 0;
  const read = async (): Promise<void> => {
    while (next < size) {
      const offset = next;
      next += piece_bytes;
      const piece = await rpc.call("read_download", { download: id, offset }, signal);
      parts[offset / piece_bytes] = piece as DataView<ArrayBuffer>;
      received += piece.byteLength;
      onProgress({ received, size });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, read));
  if (received !== size) throw new Error("The file did not arrive whole. Download it again.");
  return new Blob(parts, { type: "application/octet-stream" });
}

/** Have the browser save a file that the page made. */
export function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser may still be reading it
}

/** A name that every system takes. */
export function fileName(words: string): string {
  return words.replace(/[^\p{L}\p{N}._ -]+/gu, "_");
}
