// A file on its way to the machine of the kernel: over HTTP where the page is the app's own, else in
// pieces over the kernel's channel. Either way it goes on where it was cut off.
import type { Problem, UploadState } from "../contract.gen";
import { asProblem } from "./loaded";
import { baseOfPage } from "./page";
import { type Rpc, RpcError } from "./rpc";

interface PieceCalls {
  put_piece: { params: { readonly upload: string; readonly offset: number }; result: null };
}

export interface Sending {
  readonly name: string;
  readonly size: number;
  readonly sent: number;
}

interface Options {
  readonly rpc: Rpc<PieceCalls>;
  readonly file: File;
  /** As the kernel began it; what is there already is not sent again. */
  readonly upload: UploadState;
  readonly pieceBytes: number;
  readonly signal: AbortSignal;
  readonly base?: string | null;
  onSent(bytes: number): void;
}

export async function sendFile(options: Options): Promise<void> {
  const base = options.base === undefined ? baseOfPage() : options.base;
  if (base === null) await sendPieces(options);
  else await sendOverHttp(options, `${base}api/optimization/uploads/${options.upload.id}`);
}

const AT_ONCE = 2;

/** The kernel takes them in the order in which they are sent; the next one is under way already. */
async function sendPieces({ rpc, file, upload, pieceBytes, signal, onSent }: Options) {
  const waiting: Promise<void>[] = [];
  for (let offset = upload.received; offset < file.size; offset += pieceBytes) {
    const end = Math.min(offset + pieceBytes, file.size);
    const data = await file.slice(offset, end).arrayBuffer();
    const params = { upload: upload.id, offset };
    const sent = rpc.call("put_piece", params, signal, data).then(() => onSent(end));
    sent.catch(() => {}); // it is waited for below, maybe after another one has failed
    waiting.push(sent);
    if (waiting.length >= AT_ONCE) await waiting.shift();
  }
  await Promise.all(waiting);
}

const MIN_PIECE = 1024 ** 2;
const MAX_PIECE = 64 * 1024 ** 2;
/** Progress is told after each piece: they are as large as comes through in about a second. */
const PIECE_MS = 1_000;
const TRIES = 8;

async function sendOverHttp({ file, upload, signal, onSent }: Options, url: string) {
  let at = upload.received;
  let size = MIN_PIECE;
  let failures = 0;
  while (at < file.size) {
    const began = performance.now();
    try {
      at = await receivedOf(
        await fetch(`${url}?offset=${at}`, {
          method: "PUT",
          body: file.slice(at, at + size),
          headers: { "X-XSRFToken": xsrfToken() },
          signal,
        }),
      );
      failures = 0;
      const isQuick = performance.now() - began < PIECE_MS / 2;
      size = Math.min(Math.max(isQuick ? size * 2 : size / 2, MIN_PIECE), MAX_PIECE);
      onSent(at);
    } catch (error) {
      if (signal.aborted || error instanceof RpcError) throw error;
      failures += 1;
      if (failures >= TRIES) throw new RpcError(CUT_OFF);
      size = MIN_PIECE;
      await pause(Math.min(500 * 2 ** failures, 15_000), signal);
    }
  }
}

/** Bytes that are there; a piece that began elsewhere is refused with the same answer. */
async function receivedOf(answer: Response): Promise<number> {
  if (answer.status >= 500) throw new Error(`The server answered ${answer.status}.`);
  const said = (await answer.json().catch(() => ({}))) as Partial<Problem & UploadState>;
  if ((answer.ok || answer.status === 409) && typeof said.received === "number") {
    return said.received;
  }
  throw new RpcError({
    code: said.code ?? "upload_refused",
    message: said.message ?? `The upload was refused (${answer.status}).`,
    hint: said.hint ?? "Load the page again, and choose the file once more.",
  });
}

const CUT_OFF: Problem = {
  code: "upload_cut_off",
  message: "The connection was lost.",
  hint: "Choose the same file again: the upload goes on where it was.",
};

function xsrfToken(): string {
  return document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)?.[1] ?? "";
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(asProblem(signal.reason));
      },
      { once: true },
    );
  });
}
