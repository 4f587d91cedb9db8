// The file of the create page: sent, resumed after a cut or a reload, and looked at.
import { useCallback, useEffect, useRef, useState } from "react";
import type { FileState, Problem } from "../../contract.gen";
import { asProblem } from "../../host/loaded";
import { type Sending, sendFile } from "../../host/upload";
import { useRpc, useTrait } from "./hooks";

const KEPT = "rft-upload";

export interface SentFile {
  readonly state: FileState;
  readonly sending: Sending | null;
  /** A part of this file arrived before it was cut off. */
  readonly isCutOff: boolean;
  readonly problem: Problem | null;
  send(file: File): void;
  drop(): void;
}

/** `onFound` is told when a file of before a reload is there. */
export function useFile(onFound: () => void): SentFile {
  const rpc = useRpc();
  const state = useTrait("file");
  const [sending, setSending] = useState<Sending | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const life = useRef<AbortController | null>(null);
  const { upload, piece_bytes: pieceBytes } = state;
  const isCutOff = state.status === "sending" && sending === null && upload !== null;

  const send = useCallback(
    async (file: File) => {
      life.current?.abort();
      const mine = new AbortController();
      life.current = mine;
      const isMine = () => life.current === mine;
      const tell = (sent: number) => {
        if (isMine()) setSending({ name: file.name, size: file.size, sent });
      };
      setProblem(null);
      tell(0);
      try {
        const goesOn = isCutOff && upload.name === file.name && upload.size === file.size;
        const begun = goesOn
          ? await rpc.call("resume_upload", { upload: upload.id }, mine.signal)
          : await rpc.call("begin_upload", { name: file.name, size: file.size }, mine.signal);
        keep(begun.id);
        tell(begun.received);
        const { signal } = mine;
        await sendFile({ rpc, file, upload: begun, pieceBytes, signal, onSent: tell });
        await rpc.call("check_upload", { upload: begun.id }, signal);
      } catch (error) {
        if (isMine() && !mine.signal.aborted) setProblem(asProblem(error));
      } finally {
        if (isMine()) setSending(null);
      }
    },
    [rpc, isCutOff, upload, pieceBytes],
  );

  const drop = useCallback(() => {
    life.current?.abort();
    life.current = null;
    setSending(null);
    setProblem(null);
    keep(null);
    rpc.tell("drop_upload", {});
  }, [rpc]);

  // A page that is loaded anew goes on with the file that it sent.
  const told = useRef(onFound);
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current) return;
    isFirst.current = false;
    const id = sessionStorage.getItem(KEPT);
    if (!id || state.status !== "empty") return;
    rpc
      .call("resume_upload", { upload: id })
      .then((found) => {
        told.current();
        if (found.received === found.size) rpc.tell("check_upload", { upload: id });
      })
      .catch(() => keep(null)); // it became a dataset, or was given up
  }, [rpc, state.status]);

  useEffect(() => () => life.current?.abort(), []);
  // The browser asks by itself before a page is left that is still sending.
  useEffect(() => {
    if (!sending) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [sending]);

  return { state, sending, isCutOff, problem, send, drop };
}

function keep(id: string | null): void {
  try {
    if (id === null) sessionStorage.removeItem(KEPT);
    else sessionStorage.setItem(KEPT, id);
  } catch {
    // A browser that keeps nothing: after a reload the file has to be chosen again.
  }
}
