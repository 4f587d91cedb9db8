import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Toast, Toasts, useToast } from "./toasts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  cleanup();
  document.body.replaceChildren();
});

function Sayer({ toast }: { readonly toast: Toast }) {
  const say = useToast();
  return (
    <button type="button" onClick={() => say(toast)}>
      Say
    </button>
  );
}

function show(toast: Toast) {
  render(
    <Toasts>
      <Sayer toast={toast} />
    </Toasts>,
  );
  act(() => screen.getByText("Say").click());
}

const wait = (ms: number) => act(() => vi.advanceTimersByTime(ms));

it("says news in a region that readers follow, for a while", () => {
  show({ title: "Saved", text: "<b>x</b>" });
  const region = screen.getByRole("region", { name: "News" });
  expect(region.getAttribute("aria-live")).toBe("polite");
  expect(region.textContent).toContain("Saved<b>x</b>");
  wait(7_900);
  expect(screen.queryByText("Saved")).toBeTruthy();
  wait(200);
  expect(screen.queryByText("Saved")).toBeNull();
});

it("waits while somebody looks", () => {
  show({ title: "Saved" });
  const region = screen.getByRole("region", { name: "News" });
  fireEvent.pointerEnter(region);
  wait(60_000);
  expect(screen.queryByText("Saved")).toBeTruthy();
  fireEvent.pointerLeave(region);
  wait(8_000);
  expect(screen.queryByText("Saved")).toBeNull();
});

it("does what it offers once, and is dismissed by its button or by Escape", () => {
  const run = vi.fn();
  show({ title: "Deleted", action: { label: "Undo", run } });
  act(() => screen.getByRole("button", { name: "Undo" }).click());
  expect(run).toHaveBeenCalledOnce();
  expect(screen.queryByText("Deleted")).toBeNull();
  act(() => screen.getByText("Say").click());
  fireEvent.keyDown(screen.getByRole("button", { name: "Dismiss" }), { key: "Escape" });
  expect(screen.queryByText("Deleted")).toBeNull();
});
