// @vitest-environment node
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openRpc } from "./rpc";
import { FakeModel } from "./testing";
import { sendFile } from "./upload";

type Options = Parameters<typeof sendFile>[0];

const upload = (size: number, received = 0) => ({ id: "u1", name: "a.jsonl", size, received });
const contentOf = (size: number) => Uint8Array.from({ length: size }, (_, at) => at % 251);
const fileOf = (content: Uint8Array<ArrayBuffer>) => new File([content], "a.jsonl");

describe("pieces over the kernel's channel", () => {
  const send = (model: FakeModel, size: number, received = 0) => {
    const sent: number[] = [];
    const { signal } = new AbortController();
    const rpc = openRpc<never>(model, signal) as unknown as Options["rpc"];
    const file = fileOf(contentOf(size));
    const base = null;
    const done = sendFile({
      ...{ rpc, file, signal, base, pieceBytes: 4 },
      upload: upload(size, received),
      onSent: (bytes) => sent.push(bytes),
    });
    return { done, sent };
  };

  it("go in order, two of them under way", async () => {
    const model = new FakeModel();
    const { done, sent } = send(model, 10);
    await vi.waitFor(() => expect(model.calls("put_piece")).toHaveLength(2));
    const offsets = () => model.calls("put_piece").map(({ params }) => params);
    expect(offsets()).toEqual([
      { upload: "u1", offset: 0 },
      { upload: "u1", offset: 4 },
    ]);
    for (const { id } of model.calls("put_piece")) {
      model.receive({ kind: "rft:result", id, ok: true, value: null });
    }
    await vi.waitFor(() => expect(model.calls("put_piece")).toHaveLength(3));
    model.answer("put_piece", null);
    await done;
    expect(sent).toEqual([4, 8, 10]);
  });

  it("go on where the file was cut off, and stop when one is refused", async () => {
    const model = new FakeModel();
    const { done } = send(model, 20, 8);
    await vi.waitFor(() => expect(model.calls("put_piece")).toHaveLength(2));
    expect(model.calls("put_piece")[0]?.params).toEqual({ upload: "u1", offset: 8 });
    const refused = { code: "upload_refused", message: "No room.", hint: null };
    for (const { id } of model.calls("put_piece")) {
      model.receive({ kind: "rft:result", id, ok: false, error: refused });
    }
    await expect(done).rejects.toMatchObject({ message: "No room." });
    expect(model.calls("put_piece")).toHaveLength(2);
  });
});

describe("over HTTP", () => {
  /** A server that keeps what comes in order, and fails where a test wants it to. */
  let server: Server;
  let base = "";
  let kept = Buffer.alloc(0);
  let failing: (request: IncomingMessage) => "cut" | number | undefined;
  const tokens: unknown[] = [];

  beforeEach(async () => {
    kept = Buffer.alloc(0);
    tokens.length = 0;
    failing = () => undefined;
    server = createServer(async (request, response) => {
      tokens.push(request.headers["x-xsrftoken"]);
      const wish = failing(request);
      if (wish === "cut") {
        request.once("data", (some: Buffer) => {
          kept = Buffer.concat([kept, some]); // a part of it arrived
          request.socket.destroy();
        });
        return;
      }
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const body = Buffer.concat(parts);
      const offset = Number(new URL(request.url ?? "", "http://a").searchParams.get("offset"));
      const isNext = offset === kept.length;
      if (isNext && !wish) kept = Buffer.concat([kept, body]);
      response.writeHead(wish ?? (isNext ? 200 : 409), { "Content-Type": "application/json" });
      response.end(
        JSON.stringify(wish ? { message: "Gone.", code: "not_found" } : { received: kept.length }),
      );
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    vi.stubGlobal("document", { cookie: "a=b; _xsrf=secret" });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    server.closeAllConnections();
    server.close();
  });

  const send = (content: Uint8Array<ArrayBuffer>, received = 0, life = new AbortController()) => {
    const sent: number[] = [];
    const done = sendFile({
      rpc: {} as Options["rpc"],
      file: fileOf(content),
      upload: upload(content.length, received),
      pieceBytes: 4,
      signal: life.signal,
      base,
      onSent: (bytes) => sent.push(bytes),
    });
    return { done, sent };
  };

  it("arrives whole, in pieces that grow, with the token", async () => {
    const content = contentOf(9 * 1024 ** 2);
    const { done, sent } = send(content);
    await done;
    expect(kept.equals(Buffer.from(content))).toBe(true);
    expect(sent.at(-1)).toBe(content.length);
    expect(sent).toEqual([...sent].sort((a, b) => a - b));
    expect(new Set(tokens)).toEqual(new Set(["secret"]));
  });

  it("goes on where it was after a cut in the middle of a piece", async () => {
    const content = contentOf(3 * 1024 ** 2);
    let cuts = 0;
    failing = () => {
      cuts += 1;
      return cuts === 2 ? "cut" : undefined;
    };
    await send(content).done;
    expect(kept.equals(Buffer.from(content))).toBe(true);
    expect(cuts).toBeGreaterThan(3); // the one that was cut, the one that was told where, the rest
  });

  it("stops at once where the server has no such upload", async () => {
    failing = () => 404;
    await expect(send(contentOf(10)).done).rejects.toMatchObject({ code: "not_found" });
    expect(tokens).toHaveLength(1);
  });

  it("ends when it is stopped", async () => {
    const life = new AbortController();
    failing = () => {
      life.abort();
      return "cut";
    };
    await expect(send(contentOf(10), 0, life).done).rejects.toBeDefined();
    expect(tokens).toHaveLength(1);
  });
});
