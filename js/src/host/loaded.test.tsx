import { act, renderHook } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { useAction, useLoaded } from "./loaded";
import { RpcError } from "./rpc";

interface Deferred<V> {
  readonly promise: Promise<V>;
  resolve(value: V): void;
  reject(error: Error): void;
}

function defer<V>(): Deferred<V> {
  let resolve: (value: V) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<V>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

const REFUSED = new RpcError({ code: "not_found", message: "It is gone.", hint: "Go back." });

function setUp() {
  const calls: Deferred<string>[] = [];
  const signals: AbortSignal[] = [];
  const load = (signal: AbortSignal) => {
    const call = defer<string>();
    calls.push(call);
    signals.push(signal);
    return call.promise;
  };
  const hook = renderHook(
    (props: { revision: number; subject?: string }) => useLoaded(load, props),
    { initialProps: { revision: 1, subject: "a" } },
  );
  const answer = async (index: number, value: string) =>
    act(async () => calls[index]?.resolve(value));
  return { calls, signals, hook, answer };
}

describe("useLoaded", () => {
  it("keeps the old answer until the new one is there", async () => {
    const { calls, hook, answer } = setUp();
    expect(hook.result.current).toMatchObject({ value: null, isLoading: true });
    await answer(0, "one");
    expect(hook.result.current).toMatchObject({ value: "one", isLoading: false });
    hook.rerender({ revision: 2, subject: "a" });
    expect(hook.result.current).toMatchObject({ value: "one", isLoading: true });
    await answer(1, "two");
    expect(hook.result.current.value).toBe("two");
    expect(calls).toHaveLength(2);
  });

  it("loads once more for all changes that came meanwhile", async () => {
    const { calls, hook, answer } = setUp();
    for (const revision of [2, 3, 4]) hook.rerender({ revision, subject: "a" });
    expect(calls).toHaveLength(1);
    await answer(0, "one");
    expect(calls).toHaveLength(2);
    await answer(1, "two");
    expect(hook.result.current).toMatchObject({ value: "two", isLoading: false });
    expect(calls).toHaveLength(2);
  });

  it("shows nothing of another subject, however late it comes", async () => {
    const { signals, hook, answer } = setUp();
    hook.rerender({ revision: 1, subject: "b" });
    expect(signals[0]?.aborted).toBe(true);
    await answer(0, "of a");
    expect(hook.result.current.value).toBeNull();
    await answer(1, "of b");
    expect(hook.result.current.value).toBe("of b");
  });

  it("says what went wrong beside the old answer, and tries again", async () => {
    const { calls, hook, answer } = setUp();
    await answer(0, "one");
    hook.rerender({ revision: 2, subject: "a" });
    await act(async () => calls[1]?.reject(REFUSED));
    expect(hook.result.current).toMatchObject({
      value: "one",
      problem: { code: "not_found", message: "It is gone.", hint: "Go back." },
      isLoading: false,
    });
    act(() => hook.result.current.reload());
    await answer(2, "two");
    expect(hook.result.current).toMatchObject({ value: "two", problem: null });
  });
});

it("asks again for an answer that was lost on its way", async () => {
  const { calls, hook, answer } = setUp();
  const lost = new RpcError({ code: "lost", message: "It was cut.", hint: null });
  await act(async () => calls[0]?.reject(lost));
  expect(hook.result.current).toMatchObject({ problem: null, isLoading: true });
  expect(calls).toHaveLength(2);
  await answer(1, "one");
  expect(hook.result.current).toMatchObject({ value: "one", isLoading: false });
});

describe("useAction", () => {
  it("runs one at a time and says what went wrong", async () => {
    const calls: Deferred<void>[] = [];
    const { result } = renderHook(() =>
      useAction(() => {
        const call = defer<void>();
        calls.push(call);
        return call.promise;
      }),
    );
    let went: Promise<boolean> = Promise.resolve(true);
    act(() => {
      went = result.current.run();
    });
    expect(result.current.isBusy).toBe(true);
    await act(async () => expect(await result.current.run()).toBe(false));
    expect(calls).toHaveLength(1);
    await act(async () => calls[0]?.reject(REFUSED));
    expect(await went).toBe(false);
    expect(result.current).toMatchObject({ isBusy: false, problem: { code: "not_found" } });
    act(() => result.current.clear());
    expect(result.current.problem).toBeNull();
  });
});
