import { describe, expect, it, vi } from "vitest";
import type { RecordRows } from "../contract.gen";
import { BLOCK, RowCache, Superseded } from "./rows";
import { someRows } from "./testing";

function cache(total = 100_000) {
  const calls: { start: number; answer(rows: RecordRows | null): void; fail(): void }[] = [];
  const fetchBlock = (start: number) =>
    new Promise<RecordRows | null>((resolve, reject) =>
      calls.push({ start, answer: resolve, fail: () => reject(new Error("gone")) }),
    );
  const onNews = vi.fn();
  const first = someRows(0, BLOCK, { total });
  const made = new RowCache(first, fetchBlock, onNews);
  const answer = async (at: number) => {
    const call = calls[at];
    if (!call) throw new Error(`there is no call ${at}`);
    call.answer(someRows(call.start, BLOCK, { total }));
    await Promise.resolve();
    await new Promise((done) => setTimeout(done));
  };
  return { made, calls, onNews, answer, fetchBlock };
}

describe("RowCache", () => {
  it("has the first block at once, and fetches others when they are wanted", async () => {
    const { made, calls, answer, onNews } = cache();
    expect(made.get(0)?.id).toBe("r0");
    expect(made.get(BLOCK)).toBeUndefined();
    made.want(BLOCK - 5, BLOCK + 5);
    expect(calls.map(({ start }) => start)).toEqual([BLOCK]);
    await answer(0);
    expect(onNews).toHaveBeenCalledWith(null);
    expect(made.get(BLOCK)?.id).toBe(`r${BLOCK}`);
    made.want(BLOCK, BLOCK + 5);
    expect(calls).toHaveLength(1);
  });

  it("lets go what was scrolled past before it began", async () => {
    const { made, calls, answer } = cache();
    for (const block of [10, 20, 30, 40, 50]) made.want(block * BLOCK, block * BLOCK + 9);
    expect(calls.map(({ start }) => start / BLOCK)).toEqual([10, 20]);
    await answer(0);
    expect(calls.map(({ start }) => start / BLOCK)).toEqual([10, 20, 50]);
    await answer(1);
    await answer(2);
    expect(calls).toHaveLength(3);
  });

  it("keeps a bounded number of blocks, those that were looked at last", async () => {
    const { made, calls, answer } = cache();
    for (let block = 1; block <= 60; block += 1) {
      made.want(block * BLOCK, block * BLOCK + 9);
      await answer(calls.length - 1);
      made.want(0, 9); // the first is looked at all the time
    }
    expect(made.get(0)?.id).toBe("r0");
    expect(made.get(BLOCK)).toBeUndefined();
    expect(made.get(60 * BLOCK)?.id).toBe(`r${60 * BLOCK}`);
  });

  it("shows rows of the view before until its own are there", async () => {
    const { made, fetchBlock, calls, answer } = cache();
    made.want(BLOCK, BLOCK);
    await answer(0);
    const next = new RowCache(
      someRows(0, BLOCK, { revision: 1, total: 100_000, topics: [null] }),
      fetchBlock,
      () => {},
      made,
    );
    expect(next.get(0)?.topic).toBeNull();
    expect(next.has(BLOCK)).toBe(false);
    expect(next.get(BLOCK)?.topic).toBe("orders/returns");
    next.want(BLOCK, BLOCK);
    expect(calls).toHaveLength(2);
  });

  it("mixes no rows of another revision in", async () => {
    const { made, calls, onNews } = cache();
    made.want(BLOCK, BLOCK);
    calls[0]?.answer(someRows(BLOCK, BLOCK, { revision: 2 }));
    await vi.waitFor(() => expect(onNews).toHaveBeenCalled());
    expect(onNews.mock.calls[0]?.[0]).toBeInstanceOf(Superseded);
    expect(made.get(BLOCK)).toBeUndefined();
  });

  it("says what went wrong, and does not ask again by itself", async () => {
    const { made, calls, onNews } = cache();
    made.want(BLOCK, BLOCK);
    calls[0]?.fail();
    await vi.waitFor(() => expect(onNews).toHaveBeenCalledWith(new Error("gone")));
    expect(calls).toHaveLength(1);
    made.want(BLOCK, BLOCK);
    expect(calls).toHaveLength(2);
  });

  it("gives the ids of a range, without those that are gone", async () => {
    const ids = Array.from({ length: BLOCK }, (_, at) => (at === 3 ? null : `r${at}`));
    const made = new RowCache(
      someRows(0, BLOCK, { ids }),
      async () => null,
      () => {},
    );
    expect(await made.ids(2, 5)).toEqual(["r2", "r4", "r5"]);
    expect(made.get(3)).toBeNull();
  });
});
