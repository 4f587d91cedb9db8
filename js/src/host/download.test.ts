import { describe, expect, it, vi } from "vitest";
import { take } from "./download";
import { openRpc } from "./rpc";
import { FakeModel } from "./testing";

const DOWNLOAD = { id: "d1", name: "a.jsonl", size: 5, piece_bytes: 2 };

function bytes(...values: number[]): DataView {
  return new DataView(new Uint8Array(values).buffer);
}

function setUp() {
  const model = new FakeModel();
  const life = new AbortController();
  const rpc = openRpc<never>(model, life.signal) as unknown as Parameters<typeof take>[0];
  return { model, life, rpc };
}

describe("a download", () => {
  it("comes in pieces, two at a time, and is put together in order", async () => {
    const { model, life, rpc } = setUp();
    const told: number[] = [];
    const whole = take(rpc, DOWNLOAD, life.signal, ({ received }) => told.push(received));
    expect(model.calls("read_download").map(({ params }) => params)).toEqual([
      { download: "d1", offset: 0 },
      { download: "d1", offset: 2 },
    ]);
    model.answerBytes("read_download", bytes(3, 4)); // the second first
    await vi.waitFor(() => expect(model.calls("read_download")).toHaveLength(3));
    model.answerBytes("read_download", bytes(5));
    const first = model.calls("read_download")[0]?.id;
    model.receive({ kind: "rft:result", id: first, ok: true, raw: true }, [bytes(1, 2)]);
    expect([...new Uint8Array(await (await whole).arrayBuffer())]).toEqual([1, 2, 3, 4, 5]);
    expect(told).toEqual([2, 3, 5]);
  });

  it("that does not arrive whole is none", async () => {
    const { model, life, rpc } = setUp();
    const whole = take(rpc, { ...DOWNLOAD, size: 2 }, life.signal, () => {});
    model.answerBytes("read_download", bytes(1));
    await expect(whole).rejects.toThrow("did not arrive whole");
  });

  it("can be stopped", async () => {
    const { model, rpc } = setUp();
    const stop = new AbortController();
    const whole = take(rpc, DOWNLOAD, stop.signal, () => {});
    stop.abort();
    await expect(whole).rejects.toMatchObject({ code: "cancelled" });
    expect(model.sent.filter(({ kind }) => kind === "rft:cancel")).toHaveLength(2);
  });
});
