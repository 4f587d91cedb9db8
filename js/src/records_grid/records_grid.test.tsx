import { act, cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RecordFilter, RecordsPreset, Selection } from "../contract.gen";
import { HostProvider } from "../host/bridge";
import { Navigator } from "../host/navigation";
import { FakeModel } from "../host/testing";
import { Toasts } from "../ui/toasts";
import type { GridApi } from "./api";
import { RecordsGrid } from "./RecordsGrid";
import { ROW } from "./scroll";
import { someRows } from "./testing";
import type { RowsRequest } from "./useView";

vi.stubGlobal(
  "ResizeObserver",
  class {
    observe() {}
    disconnect() {}
  },
);
beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(6 * ROW + 34);
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const CONTEXT = {
  topics: ["orders/returns", "orders/delivery"],
  faults: [{ code: "duplicate", words: "It repeats an earlier record", count: 4 }],
  grader: "same",
  no_generation: "No model.",
};

function fakeApi(total: number) {
  const asked: RowsRequest[] = [];
  const state = { revision: 1, shift: 0 };
  const api: GridApi = {
    rows: vi.fn(async (request: RowsRequest) => {
      asked.push(request);
      if (request.known === state.revision) return null;
      const count = Math.max(Math.min(request.count, total - request.start), 0);
      return someRows(request.start, count, {
        ...{ total, everything: 1_000, revision: state.revision },
        found: request.find ? Number(request.find.slice(1)) + state.shift : null,
        ids: Array.from({ length: count }, (_, at) => `r${request.start + at - state.shift}`),
      });
    }),
    context: async () => CONTEXT,
    record: () => new Promise(() => {}),
    beginEdit: () => new Promise(() => {}),
    checkEdit: () => new Promise(() => {}),
    saveEdit: async () => null,
    confirmTopic: async () => "orders/returns",
    size: vi.fn(async ({ ids, where }: Selection) => ({
      records: where ? total : (ids?.length ?? 0),
      tokens: 0,
    })),
    assignTopic: vi.fn(async () => 1),
    remove: vi.fn(async () => {}),
    evaluate: vi.fn(async () => null),
    exportFile: () => new Promise(() => {}),
    generate: vi.fn(),
  };
  return { api, asked, state };
}

async function show({ total = 1_000, preset = null as RecordsPreset | null } = {}) {
  const model = new FakeModel({ jobs: [] });
  const fake = fakeApi(total);
  const tree = (revision: number) => (
    <HostProvider model={model} signal={new AbortController().signal}>
      <Toasts>
        <Navigator components={new Map()}>
          <RecordsGrid api={fake.api} preset={preset} revision={revision} height={520} />
        </Navigator>
      </Toasts>
    </HostProvider>
  );
  const view = render(tree(0));
  if (total > 0) await screen.findByRole("grid");
  const grid = () => screen.getByRole("grid");
  const key = (name: string, more = {}) => fireEvent.keyDown(grid(), { key: name, ...more });
  const active = () => {
    const id = grid().getAttribute("aria-activedescendant");
    return id ? (document.getElementById(id)?.dataset.record ?? null) : null;
  };
  const change = async () => {
    fake.state.revision += 1;
    await act(async () => view.rerender(tree(fake.state.revision)));
  };
  return { ...fake, view, grid, key, active, change };
}

const boxOf = (id: string) => screen.getByRole("checkbox", { name: `Select ${id}` });
const whereOf = (request: RowsRequest | undefined): RecordFilter | undefined => request?.where;

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

  it("a click on a checkbox selects exactly once and opens nothing", async () => {
    const { api } = await show();
    fireEvent.click(boxOf("r2"));
    expect((boxOf("r2") as HTMLInputElement).checked).toBe(true);
    expect(await screen.findByText("1 selected")).toBeTruthy();
    fireEvent.click(boxOf("r2").parentElement as HTMLElement);
    expect((boxOf("r2") as HTMLInputElement).checked).toBe(false);
    expect(screen.queryByLabelText("Record r2")).toBeNull();
    expect(api.size).toHaveBeenCalledTimes(1);
  });

  it("selects from the last one to here with Shift", async () => {
    const { key } = await show();
    fireEvent.click(boxOf("r1"));
    fireEvent.click(boxOf("r4"), { shiftKey: true });
    expect(await screen.findByText("4 selected")).toBeTruthy();
    for (const id of ["r1", "r2", "r3", "r4"]) {
      expect((boxOf(id) as HTMLInputElement).checked).toBe(true);
    }
    fireEvent.mouseDown(boxOf("r6"));
    key("X", { shiftKey: true });
    expect(await screen.findByText("6 selected")).toBeTruthy();
  });

  it("selects all of the filter as a filter, keeps it when that changes, and clears it", async () => {
    const { asked, api } = await show({ preset: { where: { valid: false }, badge: "Invalid" } });
    const all = () => screen.getByRole("checkbox", { name: "Select all records of this filter" });
    fireEvent.click(all());
    expect(await screen.findByText("1,000 selected")).toBeTruthy();
    expect(api.size).toHaveBeenLastCalledWith(
      { where: { valid: false }, except_ids: [], also_ids: [] },
      expect.anything(),
    );
    expect((boxOf("r3") as HTMLInputElement).checked).toBe(true);
    fireEvent.click(boxOf("r3"));
    expect((all() as HTMLInputElement).indeterminate).toBe(true);
    fireEvent.change(screen.getByRole("combobox", { name: "Validity" }), {
      target: { value: "valid" },
    });
    await waitFor(() => expect(whereOf(asked.at(-1))).toEqual({ valid: true }));
    expect(asked.at(-1)?.chosen).toEqual({ valid: false });
    expect(screen.getByText("1,000 selected")).toBeTruthy();
    await waitFor(() => expect((boxOf("r5") as HTMLInputElement).checked).toBe(false));
    fireEvent.click(screen.getByRole("button", { name: "Clear selection" }));
    expect(screen.queryByText(/selected/)).toBeNull();
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

  it("asks before it deletes", async () => {
    const { api } = await show();
    fireEvent.click(boxOf("r1"));
    await screen.findByText("1 selected");
    fireEvent.click(screen.getByRole("button", { name: "Delete" }));
    expect(api.remove).not.toHaveBeenCalled();
    fireEvent.click(screen.getByRole("button", { name: "Delete 1 record" }));
    await waitFor(() => expect(api.remove).toHaveBeenCalledWith({ ids: ["r1"] }));
    await waitFor(() => expect(screen.queryByText(/selected/)).toBeNull());
  });

  it("puts records under a topic, or under none", async () => {
    const { api } = await show();
    fireEvent.click(boxOf("r1"));
    await screen.findByText("1 selected");
    fireEvent.click(screen.getByRole("button", { name: "Assign topic" }));
    fireEvent.change(screen.getByRole("combobox", { name: "Topic" }), { target: { value: "-1" } });
    fireEvent.click(screen.getByRole("button", { name: "Assign" }));
    await waitFor(() => expect(api.assignTopic).toHaveBeenCalledWith({ ids: ["r1"] }, null));
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
