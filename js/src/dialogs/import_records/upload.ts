// The file of this dialog on its way.
import { useCallback, useEffect, useRef, useState } from "react";
import type { ImportRecordsDialogCalls, Problem } from "../../contract.gen";
import { asProblem } from "../../host/loaded";
import type { Rpc } from "../../host/rpc";
import { type Sending, sendFile } from "../../host/upload";

type Calls = Pick<
  ImportRecordsDialogCalls,
  "begin_upload" | "put_piece" | "check_upload" | "leave" | "reset"
>;

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
        const upload = await rpc.call("begin_upload", params, mine.signal);
        last.current = upload.id;
        const onSent = (sent: number) => {
          if (isMine()) setSending({ name: file.name, size: file.size, sent });
        };
        await sendFile({ rpc, file, upload, pieceBytes, signal: mine.signal, onSent });
        await rpc.call("check_upload", { upload: upload.id }, mine.signal);
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
