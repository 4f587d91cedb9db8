import { afterEach, describe, expect, it, vi } from "vitest";
import { openRpc, PATIENCE_MS, RpcError } from "./rpc";
import { FakeModel } from "./testing";

interface Calls {
  add: { params: { readonly a: number }; result: number };
}

function setUp() {
  const model = new FakeModel();
  const life = new AbortController();
  return { model, life, rpc: openRpc<Calls>(model, life.signal) };
}

afterEach(() => void vi.useRealTimers());

describe("rpc", () => {
  it("resolves with the value of its own reply", async () => {
    const { model, rpc } = setUp();
    const first = rpc.call("add", { a: 1 });
    const second = rpc.call("add", { a: 2 });
    const [one, two] = model.sent;
    expect(one).toMatchObject({ kind: "rft:call", method: "add", params: { a: 1 } });
    model.receive({ kind: "rft:result", id: two?.id, ok: true, value: 20 });
    model.receive({ kind: "rft:result", id: one?.id, ok: true, value: 10 });
    expect(await first).toBe(10);
    expect(await second).toBe(20);
  });

  it("gives bytes as they came, and packed JSON as its value", async () => {
    const { model, rpc } = setUp();
    const bytes = new DataView(new Uint8Array([91, 49, 93]).buffer); // "[1]"
    const raw = rpc.call("add", { a: 1 });
    model.receive({ kind: "rft:result", id: model.sent[0]?.id, ok: true, raw: true }, [bytes]);
    expect(await raw).toBe(bytes);
    const packed = rpc.call("add", { a: 1 });
    model.receive({ kind: "rft:result", id: model.sent[1]?.id, ok: true, value: null }, [bytes]);
    expect(await packed).toEqual([1]);
  });

  it("rejects with code, message and hint", async () => {
    const { model, rpc } = setUp();
    const call = rpc.call("add", { a: 1 });
    const error = { code: "stale_edit", message: "It changed.", hint: "Read it again." };
    model.receive({ kind: "rft:result", id: model.sent[0]?.id, ok: false, error });
    await expect(call).rejects.toMatchObject(error);
    await expect(call).rejects.toBeInstanceOf(RpcError);
  });

  it("makes an error of an answer without meaning", async () => {
    const { model, rpc } = setUp();
    const call = rpc.call("add", { a: 1 });
    model.receive({ kind: "rft:result", id: model.sent[0]?.id, ok: false, error: 3 });
    await expect(call).rejects.toMatchObject({ code: "internal" });
  });

  it("cancels in the kernel and at once on the page", async () => {
    const { model, rpc } = setUp();
    const abort = new AbortController();
    const call = rpc.call("add", { a: 1 }, abort.signal);
    abort.abort();
    await expect(call).rejects.toMatchObject({ code: "cancelled" });
    expect(model.sent[1]).toEqual({ kind: "rft:cancel", id: model.sent[0]?.id });
    model.receive({ kind: "rft:result", id: model.sent[0]?.id, ok: true, value: 1 }); // too late
  });

  it("ends with its view: what waits is rejected, nobody listens", async () => {
    const { model, life, rpc } = setUp();
    const call = rpc.call("add", { a: 1 });
    life.abort();
    await expect(call).rejects.toMatchObject({ code: "cancelled" });
    expect(model.listening).toBe(0);
    await expect(rpc.call("add", { a: 2 })).rejects.toMatchObject({ code: "cancelled" });
    expect(model.sent).toHaveLength(1);
  });

  it("says when the kernel is gone", async () => {
    const { model, rpc } = setUp();
    model.send = () => {
      throw new Error("Cannot send");
    };
    await expect(rpc.call("add", { a: 1 })).rejects.toMatchObject({ code: "disconnected" });
    rpc.tell("add", { a: 1 }); // throws nothing
  });

  it("gives up what was under way when the connection was cut, some time after it is back", async () => {
    vi.useFakeTimers();
    const kernel = { connectionStatus: "connected", slots: new Set<() => void>() };
    const connectionStatusChanged = {
      connect: (slot: () => void) => kernel.slots.add(slot),
      disconnect: (slot: () => void) => kernel.slots.delete(slot),
    };
    const become = (connectionStatus: string) => {
      kernel.connectionStatus = connectionStatus;
      for (const slot of kernel.slots) slot();
    };
    const manager = { kernel: Object.assign(kernel, { connectionStatusChanged }) };
    const model = Object.assign(new FakeModel(), { widget_manager: manager });
    const life = new AbortController();
    const rpc = openRpc<Calls>(model as unknown as FakeModel, life.signal);
    const kept = rpc.call("add", { a: 1 });
    const lost = rpc.call("add", { a: 2 });
    const said = expect(lost).rejects.toMatchObject({ code: "lost" });
    become("connecting");
    become("connected");
    const later = rpc.call("add", { a: 3 });
    model.receive({ kind: "rft:result", id: model.sent[0]?.id, ok: true, value: 10 });
    await vi.advanceTimersByTimeAsync(PATIENCE_MS);
    expect(await kept).toBe(10);
    await said;
    model.receive({ kind: "rft:result", id: model.sent[2]?.id, ok: true, value: 30 });
    expect(await later).toBe(30);
    life.abort();
    expect(kernel.slots.size).toBe(0);
  });

  it("gives events to those who listen to their topic", () => {
    const { model, rpc } = setUp();
    const until = new AbortController();
    const heard: unknown[] = [];
    rpc.onEvent("progress", (data) => heard.push(data), until.signal);
    model.receive({ kind: "rft:event", topic: "progress", seq: 1, data: 0.5 });
    model.receive({ kind: "rft:event", topic: "other", seq: 2, data: 0.6 });
    until.abort();
    model.receive({ kind: "rft:event", topic: "progress", seq: 3, data: 0.7 });
    expect(heard).toEqual([0.5]);
  });
});
