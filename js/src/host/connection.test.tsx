import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { HostProvider } from "./bridge";
import { useConnection } from "./connection";
import { FakeModel, takeDown } from "./testing";

class FakeKernel {
  readonly id = "k1";
  connectionStatus = "connected";
  status = "idle";
  readonly serverSettings = { baseUrl: "/user/me/" };
  private readonly slots = new Set<() => void>();
  readonly connectionStatusChanged = this.signal();
  readonly statusChanged = this.signal();
  readonly reconnect = vi.fn(async () => this.become("connected"));

  become(connectionStatus: string, status = this.status): void {
    Object.assign(this, { connectionStatus, status });
    for (const slot of this.slots) slot();
  }

  private signal() {
    return {
      connect: (slot: () => void) => void this.slots.add(slot),
      disconnect: (slot: () => void) => void this.slots.delete(slot),
    };
  }
}

function Shown({ isAsked }: { readonly isAsked: boolean }) {
  return <output>{useConnection(isAsked).status}</output>;
}

let answer: () => Promise<Response>;
beforeEach(() => {
  vi.useFakeTimers();
  answer = async () => new Response(null, { status: 200 });
  vi.stubGlobal(
    "fetch",
    vi.fn(() => answer()),
  );
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  takeDown();
});

function show(isAsked: boolean): FakeKernel {
  const kernel = new FakeKernel();
  const manager = { kernel, get_model: () => Promise.reject(new Error("there are no models")) };
  const model = Object.assign(new FakeModel(), { widget_manager: manager });
  render(
    <HostProvider model={model} signal={new AbortController().signal}>
      <Shown isAsked={isAsked} />
    </HostProvider>,
  );
  return kernel;
}

const after = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
const shown = () => screen.getByRole("status").textContent;

it("says nothing of a moment, and comes back when the server does", async () => {
  const kernel = show(false);
  await act(async () => kernel.become("connecting"));
  await after(1_000);
  expect(shown()).toBe("connected");
  answer = () => Promise.reject(new TypeError("Failed to fetch"));
  await after(1_000);
  expect(shown()).toBe("reconnecting");
  expect(kernel.reconnect).not.toHaveBeenCalled();
  answer = async () => new Response(null, { status: 200 });
  await after(2_500);
  expect(kernel.reconnect).toHaveBeenCalled();
  expect(shown()).toBe("connected");
});

it.each([404, 403])(
  "tells a kernel that is gone from a server that is away (%d)",
  async (status) => {
    const kernel = show(false);
    answer = async () => new Response(null, { status });
    await act(async () => kernel.become("disconnected"));
    await after(2_000);
    expect(shown()).toBe("gone");
    await act(async () => kernel.become("connected"));
    expect(shown()).toBe("gone"); // what is gone does not come back
  },
);

it("asks for a kernel that ended without a word, in the app alone", async () => {
  show(false);
  answer = async () => new Response(null, { status: 404 });
  await after(20_000);
  expect(shown()).toBe("connected");
  takeDown();
  show(true);
  await after(6_000);
  expect(shown()).toBe("gone");
});

it("believes a kernel that says it is dead", async () => {
  const kernel = show(false);
  await act(async () => kernel.become("connected", "dead"));
  expect(shown()).toBe("gone");
});
