// A file on its way to the kernel: in pieces, two at a time.
import { useCallback, useEffect, useRef, useState } from "react";
import type { ImportRecordsDialogCalls, Problem } from "../../contract.gen";
import { asProblem } from "../../host/loaded";
import type { Rpc } from "../../host/rpc";

const AT_ONCE = 2;

type Calls = Pick<
  ImportRecordsDialogCalls,
  "begin_upload" | "put_piece" | "check_upload" | "leave" | "reset"
>;

export interface Sending {
  readonly name: string;
  readonly size: number;
  readonly sent: number;
}

export interface Uploading {
  readonly sending: Sending | null;
  readonly problem: Problem | null;
  send(file: File): void;
  stop(): void;
}

/** Sends a file and has it looked at; stopping, or leaving the page, leaves nothing of it behind. */
export function useUpload(rpc: Rpc<Calls>, pieceBytes: number): Uploading {
  const [sending, setSending] = useState<Sending | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const life = useRef<AbortController | null>(null);
  const last = useRef<string | null>(null);

  const stop = useCallback(() => {
    life.current?.abort();
    rpc.tell("reset", {});
  }, [rpc]);

  const send = useCallback(
    async (file: File) => {
      life.current?.abort();
      const mine = new AbortController();
      life.current = mine;
      setProblem(null);
      setSending({ name: file.name, size: file.size, sent: 0 });
      const isMine = () => life.current === mine;
      try {
        const params = { name: file.name, size: file.size };
        const { id } = await rpc.call("begin_upload", params, mine.signal);
        last.current = id;
        await sendPieces(rpc, file, id, pieceBytes, mine.signal, (sent) => {
          if (isMine()) setSending({ name: file.name, size: file.size, sent });
        });
        await rpc.call("check_upload", { upload: id }, mine.signal);
      } catch (error) {
        if (mine.signal.aborted) return;
        rpc.tell("reset", {});
        setProblem(asProblem(error));
        mine.abort();
      } finally {
        if (isMine()) setSending(null);
      }
    },
    [rpc, pieceBytes],
  );

  useEffect(() => {
    const leave = () => {
      life.current?.abort();
      rpc.tell("leave", { upload: last.current });
    };
    window.addEventListener("pagehide", leave);
    return () => {
      window.removeEventListener("pagehide", leave);
      leave();
    };
  }, [rpc]);
  return { sending, problem, send, stop };
}

export async function sendPieces(
  rpc: Rpc<Pick<Calls, "put_piece">>,
  file: Blob,
  upload: string,
  pieceBytes: number,
  signal: AbortSignal,
  onSent: (bytes: number) => void,
): Promise<void> {
  let next = 0;
  let sent = 0;
  const work = async (): Promise<void> => {
    while (next < file.size) {
      const offset = next;
      next += pieceBytes;
      const data = await file.slice(offset, offset + pieceBytes).arrayBuffer();
      await rpc.call("put_piece", { upload, offset }, signal, data);
      sent += data.byteLength;
      onSent(sent);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
