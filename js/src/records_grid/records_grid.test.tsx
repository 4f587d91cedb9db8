import { act, cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ROW } from "./scroll";
import { boxOf, show, sixRowsHigh, whereOf } from "./testing";

beforeEach(sixRowsHigh);
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

describe("RecordsGrid", () => {
  it("shows the rows in sight and no others, and counts them all", async () => {
    const { grid } = await show();
    expect(screen.getByText("1,000 of 1,000 records")).toBeTruthy();
    expect(grid().getAttribute("aria-rowcount")).toBe("1001");
    const rows = within(grid()).getAllByRole("row");
    expect(rows.length).toBeLessThan(20);
    expect(rows[1]?.getAttribute("aria-rowindex")).toBe("2");
    expect(rows[1]?.textContent).toContain("[USR]Question 0[AST]Answer 0");
  });

  it("moves by keys, and keeps what is active in sight", async () => {
    const { key, active, grid } = await show();
    expect(active()).toBe("r0");
    key("j");
    key("ArrowDown");
    key("k");
    expect(active()).toBe("r1");
    key("PageDown");
    expect(active()).toBe("r7");
    expect(grid().scrollTop).toBe(8 * ROW - 6 * ROW);
    key("End");
    await waitFor(() => expect(active()).toBe("r999"));
    key("Home");
    expect(active()).toBe("r0");
    key("ArrowUp");
    expect(active()).toBe("r0");
  });

  it("reaches every row of a million, with the wheel row by row", async () => {
    const { key, active, grid } = await show({ total: 1_000_000 });
    key("End");
    await waitFor(() => expect(active()).toBe("r999999"));
    expect(grid().scrollTop).toBeLessThan(8_000_000);
    fireEvent.wheel(grid(), { deltaY: -ROW });
    fireEvent.wheel(grid(), { deltaY: -ROW });
    const rows = within(grid()).getAllByRole("row");
    expect(rows.at(-1)?.getAttribute("aria-rowindex")).toBe("1000001");
    expect(rows[1]?.getAttribute("aria-rowindex")).toBe(String(999_994 - 2 - 4 + 2));
    grid().scrollTop = 4_000_000;
    fireEvent.scroll(grid());
    const half = within(grid()).getAllByRole("row")[1];
    expect(Number(half?.getAttribute("aria-rowindex"))).toBeGreaterThan(499_000);
    await waitFor(() => expect(grid().querySelector("[data-record=r500025]")).toBeTruthy());
  });

  it("searches when nobody has typed for a while", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const { asked } = await show();
    const search = screen.getByRole("textbox", { name: "Search the messages" });
    const before = asked.length;
    for (const text of ["r", "re", "refund"]) {
      fireEvent.change(search, { target: { value: text } });
      await act(() => vi.advanceTimersByTimeAsync(100));
    }
    expect(asked.length).toBe(before);
    await act(() => vi.advanceTimersByTimeAsync(300));
    expect(asked.slice(before).map(whereOf)).toEqual([{ search: "refund" }]);
  });

  it("gives up a search for another one", async () => {
    const { api } = await show();
    const signals: AbortSignal[] = [];
    vi.mocked(api.rows).mockImplementation((_, signal) => {
      if (signal) signals.push(signal);
      return new Promise(() => {});
    });
    const sort = () => fireEvent.click(screen.getByRole("button", { name: "Score" }));
    sort();
    sort();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  it("sorts up, down, and not", async () => {
    const { asked } = await show();
    const head = () => screen.getByRole("columnheader", { name: "Score" });
    for (const [sort, aria] of [
      ["score", "ascending"],
      ["-score", "descending"],
      ["position", "none"],
    ]) {
      fireEvent.click(within(head()).getByRole("button"));
      await waitFor(() => expect(asked.at(-1)?.sort).toBe(sort));
      expect(head().getAttribute("aria-sort")).toBe(aria);
    }
  });

  it("follows a change without losing place, selection or focus", async () => {
    const { key, active, grid, state, change, asked } = await show();
    key("End");
    await waitFor(() => expect(active()).toBe("r999"));
    for (let n = 0; n < 10; n += 1) key("k");
    key("x");
    const top = grid().scrollTop;
    state.shift = -3; // three records above were deleted
    await change();
    expect(asked.at(-1)).toMatchObject({ known: 1, find: "r989", start: 800 });
    await waitFor(() => expect(grid().scrollTop).toBe(top - 3 * ROW));
    expect(active()).toBe("r989");
    expect((boxOf("r989") as HTMLInputElement).checked).toBe(true);
  });

  it("reads nothing anew when a change is not of the dataset", async () => {
    const { state, change, grid } = await show();
    const row = grid().querySelector("[data-record=r0]");
    state.revision -= 1; // `change` adds one: the view's revision moves, the dataset's does not
    await change();
    expect(grid().querySelector("[data-record=r0]")).toBe(row);
  });

  it("shows where the filter came from while it holds", async () => {
    await show({ preset: { where: { valid: false }, badge: "Invalid records" } });
    expect(screen.getByText("Invalid records")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Clear filters" }));
    expect(screen.queryByText("Invalid records")).toBeNull();
  });

  it("says why nothing is there", async () => {
    await show({ total: 0 });
    expect(await screen.findByText("No records yet")).toBeTruthy();
    cleanup();
    await show({ total: 0, preset: { where: { valid: false } } });
    expect(await screen.findByText("No record matches")).toBeTruthy();
  });

  it("says what went wrong, and tries again", async () => {
    const { api } = await show();
    vi.mocked(api.rows).mockRejectedValueOnce(new Error("the kernel is busy"));
    fireEvent.click(screen.getByRole("button", { name: "Score" }));
    expect(await screen.findByText("the kernel is busy")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Retry" }));
    await waitFor(() => expect(screen.queryByText("the kernel is busy")).toBeNull());
  });

  it("lists its keys, and goes to the search", async () => {
    const { key } = await show();
    key("?");
    expect(screen.getByRole("dialog", { name: "Keys of the table" })).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Close" }));
    key("/");
    expect(document.activeElement?.getAttribute("aria-label")).toBe("Search the messages");
  });

  it("opens a record and comes back to its row", async () => {
    const { key, grid } = await show();
    key("j");
    key("Enter");
    const pane = await screen.findByLabelText("Record r1");
    expect(document.activeElement).toBe(pane);
    fireEvent.keyDown(pane, { key: "j" });
    await screen.findByLabelText("Record r2");
    fireEvent.keyDown(screen.getByLabelText("Record r2"), { key: "Escape" });
    await waitFor(() => expect(document.activeElement).toBe(grid()));
    expect(screen.queryByLabelText("Record r2")).toBeNull();
  });
});
