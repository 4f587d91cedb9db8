// A table without a kernel, for tests: its rows are numbered, and what it asks for is kept.
import { act, fireEvent, render, screen } from "@testing-library/react";
import { vi } from "vitest";
import type { RecordFilter, RecordRows, RecordsPreset, Selection } from "../contract.gen";
import { HostProvider } from "../host/bridge";
import { Navigator } from "../host/navigation";
import { FakeModel } from "../host/testing";
import { Toasts } from "../ui/toasts";
import type { GridApi } from "./api";
import { RecordsGrid } from "./RecordsGrid";
import { ROW } from "./scroll";
import type { RowsRequest } from "./useView";

/** jsdom lays nothing out: the table is six rows high. */
export function sixRowsHigh(): void {
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(6 * ROW + 34);
}

export function someRows(start: number, count: number, more: Partial<RecordRows> = {}): RecordRows {
  const each = <V,>(value: (index: number) => V): V[] =>
    Array.from({ length: count }, (_, at) => value(start + at));
  return {
    revision: 1,
    start,
    total: 1_000,
    total_is_exact: true,
    everything: 1_000,
    found: null,
    ids: each((index) => `r${index}`),
    tags: each(() => ["USR", "AST"]),
    texts: each((index) => [`Question ${index}`, `Answer ${index}`]),
    more: each(() => 0),
    topics: each(() => "orders/returns"),
    confidences: each(() => 0.9),
    valid: each(() => true),
    faults: each(() => null),
    generated: each(() => false),
    scores: each(() => 0.5),
    updated: each(() => "2026-10-01T10:00:00Z"),
    chosen: each(() => false),
    ...more,
  };
}

const CONTEXT = {
  topics: ["orders/returns", "orders/delivery"],
  faults: [{ code: "duplicate", words: "It repeats an earlier record", count: 4 }],
  grader: "same",
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
    estimateEvaluate: vi.fn(async () => null),
    evaluate: vi.fn(async () => null),
    exportFile: () => new Promise(() => {}),
    generate: vi.fn(),
  };
  return { api, asked, state };
}

export async function show({ total = 1_000, preset = null as RecordsPreset | null } = {}) {
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

export const boxOf = (id: string) => screen.getByRole("checkbox", { name: `Select ${id}` });
export const whereOf = (request: RowsRequest | undefined): RecordFilter | undefined =>
  request?.where;
