// Calls to the kernel with a typed reply or a typed error; the wire is described in widgets/rpc.py.
import type { Problem } from "../contract.gen";
import { onReconnected } from "./kernel";
import { listen, type Model } from "./model";

/** What a contract says of calls: `{ open_step: { params: {...}; result: null } }`. */
export type CallMap<C> = { [M in keyof C]: { params: object; result: unknown } };

export class RpcError extends Error implements Problem {
  readonly code: string;
  readonly hint: string | null;

  constructor(problem: Problem) {
    super(problem.message);
    this.name = "RpcError";
    this.code = problem.code;
    this.hint = problem.hint;
  }
}

export interface Rpc<C extends CallMap<C>> {
  /** Call the kernel. Aborting `signal` cancels there, and rejects here at once; `data` goes beside. */
  call<M extends keyof C & string>(
    method: M,
    params: C[M]["params"],
    signal?: AbortSignal,
    data?: ArrayBuffer,
  ): Promise<C[M]["result"]>;
  /** Call without waiting: what fails is of no interest any more. */
  tell<M extends keyof C & string>(method: M, params: C[M]["params"]): void;
  onEvent(topic: string, listener: (data: unknown) => void, signal: AbortSignal): void;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

let calls = 0;
const page = Math.random().toString(36).slice(2, 10); // tells the calls of two pages apart

export function newId(): string {
  calls += 1;
  return `${page}-${calls}`;
}

/** Open a channel that lasts until `signal`; calls still waiting then are rejected. */
export function openRpc<C extends CallMap<C>>(model: Model, signal: AbortSignal): Rpc<C> {
  const waiting = new Map<string, Waiting>();
  const topics = new Map<string, Set<(data: unknown) => void>>();
  const receive = (message: unknown, buffers: unknown) => {
    if (!isObject(message)) return;
    if (message.kind === "rft:event") {
      for (const listener of topics.get(String(message.topic)) ?? []) listener(message.data);
      return;
    }
    if (message.kind !== "rft:result") return;
    const id = String(message.id);
    const call = waiting.get(id);
    if (!call) return; // another view's, or cancelled
    waiting.delete(id);
    if (message.ok === true) call.resolve(resultOf(message, buffers));
    else call.reject(new RpcError(asProblem(message.error)));
  };
  listen(model, "msg:custom", receive, signal);
  onReconnected(model, () => giveUpLater([...waiting.keys()]), signal);
  const giveUpLater = (ids: readonly string[]) => {
    setTimeout(() => {
      for (const id of ids) {
        waiting.get(id)?.reject(new RpcError(LOST));
        waiting.delete(id);
      }
    }, PATIENCE_MS);
  };
  signal.addEventListener("abort", () => {
    for (const call of waiting.values()) call.reject(cancelled());
    waiting.clear();
  });

  const call: Rpc<C>["call"] = (method, params, abort, data) =>
    new Promise((resolve, reject) => {
      if (signal.aborted || abort?.aborted) {
        reject(cancelled());
        return;
      }
      const id = newId();
      // What comes back has the type that the contract, made from the kernel's code, gives it.
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      if (!post(model, { kind: "rft:call", id, method, params }, data)) {
        waiting.delete(id);
        reject(new RpcError(DISCONNECTED));
        return;
      }
      abort?.addEventListener(
        "abort",
        () => {
          if (!waiting.delete(id)) return;
          post(model, { kind: "rft:cancel", id });
          reject(cancelled());
        },
        { once: true },
      );
    });

  return {
    call,
    tell(method, params) {
      if (signal.aborted) return;
      post(model, { kind: "rft:call", id: newId(), method, params });
    },
    onEvent(topic, listener, until) {
      const listeners = topics.get(topic) ?? new Set();
      topics.set(topic, listeners.add(listener));
      until.addEventListener("abort", () => listeners.delete(listener), { once: true });
    },
  };
}

/** After a cut connection is there again: by then, what the server kept for us has arrived. */
export const PATIENCE_MS = 15_000;

const LOST: Problem = {
  code: "lost",
  message: "The connection was cut before the answer came.",
  hint: "Look whether it was done, and try again.",
};

const DISCONNECTED: Problem = {
  code: "disconnected",
  message: "The kernel of this view is gone.",
  hint: "Run the cell to reconnect.",
};

/** Send, where there still is somebody who listens: a kernel that was shut down closes its channel. */
function post(model: Model, message: object, data?: ArrayBuffer): boolean {
  try {
    if (data) model.send(message, undefined, [data]);
    else model.send(message);
    return true;
  } catch {
    return false;
  }
}

/** A result as it is, as the JSON in a buffer, or as the buffer's bytes. */
function resultOf(message: Record<string, unknown>, buffers: unknown): unknown {
  const first = Array.isArray(buffers) ? buffers[0] : undefined;
  if (!(first instanceof DataView)) return message.value;
  return message.raw === true ? first : JSON.parse(new TextDecoder().decode(first));
}

function cancelled(): RpcError {
  return new RpcError({ code: "cancelled", message: "The call was cancelled.", hint: null });
}

function asProblem(value: unknown): Problem {
  if (isObject(value) && typeof value.code === "string" && typeof value.message === "string") {
    const hint = typeof value.hint === "string" ? value.hint : null;
    return { code: value.code, message: value.message, hint };
  }
  return {
    code: "internal",
    message: "The kernel gave an answer that has no meaning.",
    hint: null,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
