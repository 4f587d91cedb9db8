// A model without a kernel, for tests: what the page sends is kept, what the kernel sends is given.
import { act, cleanup } from "@testing-library/react";
import type { ReactNode } from "react";
import type { Model } from "./model";
import { mount } from "./mount";

export class FakeModel implements Model {
  readonly sent: Record<string, unknown>[] = [];
  private readonly listeners = new Map<string, Set<(...args: unknown[]) => void>>();

  constructor(private readonly traits: Record<string, unknown> = {}) {}

  get(name: string): unknown {
    return this.traits[name];
  }

  set(name: string, value: unknown): void {
    this.traits[name] = value;
    this.fire(`change:${name}`);
  }

  save_changes(): void {}

  send(content: unknown): void {
    this.sent.push(content as Record<string, unknown>);
  }

  on(event: string, listener: (...args: unknown[]) => void): void {
    this.listeners.set(event, (this.listeners.get(event) ?? new Set()).add(listener));
  }

  off(event: string, listener: (...args: unknown[]) => void): void {
    this.listeners.get(event)?.delete(listener);
  }

  fire(event: string, ...args: unknown[]): void {
    for (const listener of this.listeners.get(event) ?? []) listener(...args);
  }

  receive(message: object, buffers: readonly DataView[] = []): void {
    this.fire("msg:custom", message, buffers);
  }

  /** Answer the last call of a method. */
  answer(method: string, value: unknown): void {
    const last = this.calls(method).at(-1);
    if (!last) throw new Error(`nobody called ${method}`);
    this.receive({ kind: "rft:result", id: last.id, ok: true, value });
  }

  /** Answer the last call of a method with bytes. */
  answerBytes(method: string, bytes: DataView): void {
    const last = this.calls(method).at(-1);
    if (!last) throw new Error(`nobody called ${method}`);
    this.receive({ kind: "rft:result", id: last.id, ok: true, value: null, raw: true }, [bytes]);
  }

  /** Refuse the last call of a method. */
  refuse(method: string, error: { code: string; message: string; hint: string | null }): void {
    const last = this.calls(method).at(-1);
    if (!last) throw new Error(`nobody called ${method}`);
    this.receive({ kind: "rft:result", id: last.id, ok: false, error });
  }

  /** How many listen, to anything. */
  get listening(): number {
    return [...this.listeners.values()].reduce((sum, one) => sum + one.size, 0);
  }

  calls(method: string): Record<string, unknown>[] {
    return this.sent.filter((message) => message.method === method);
  }
}

let unmount = () => {};

/** Show a component with a model, as a view does; `takeDown` ends it. */
export async function showOn(model: Model, Shown: () => ReactNode): Promise<HTMLElement> {
  const el = document.body.appendChild(document.createElement("div"));
  await act(async () => {
    unmount = mount(new Map([["shown", Shown]]), "shown", { model, el });
  });
  return el;
}

export function takeDown(): void {
  act(() => unmount());
  cleanup();
  document.body.replaceChildren();
}
