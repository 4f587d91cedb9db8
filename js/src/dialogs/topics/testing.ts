// The dialog for tests: values as the kernel sends them, and a page that shows it.
import { act, fireEvent, screen } from "@testing-library/react";
import type { ReviewItem, TopicRow, TopicsReport } from "../../contract.gen";
import { FakeModel, showOn } from "../../host/testing";
import { TopicsDialogWidget } from ".";

/** Rows of a tree with these paths; two of four records of each have low confidence. */
export function rowsOf(...paths: readonly string[]): readonly TopicRow[] {
  return paths.map((path) => ({
    path,
    name: path.slice(path.lastIndexOf("/") + 1),
    level: path.split("/").length,
    is_leaf: !paths.some((other) => other.startsWith(`${path}/`)),
    description: "",
    keywords: [],
    records: 4,
    share: 0.5,
    low_confidence: 2,
  }));
}

export function reportOf(...paths: readonly string[]): TopicsReport {
  const topics = rowsOf(...paths);
  return {
    method: "auto",
    topics,
    leaves: topics.filter((row) => row.is_leaf).length,
    depth: 2,
    records: 20,
    categorized: 16,
    uncategorized: 4,
    other: 1,
    decided: 3,
    low_confidence: 8,
    to_review: 8,
    bands: { high: 6, medium: 5, needs_review: 5, unknown: 0 },
    measure: null,
    edits_since: 0,
    confirmed_since: 0,
  };
}

export const itemOf = (record_id: string): ReviewItem => ({
  record_id,
  text: `What ${record_id} asks`,
  topic: "A/x",
  confidence: 0.4,
  runner_up: "B",
});

export const PATHS = ["A", "A/x", "A/y", "B"] as const;

export function setUp(): void {
  globalThis.CSS = { escape: (text: string) => text.replace(/["\\]/g, "\\$&") } as typeof CSS;
}

export async function settle(run: () => void = () => {}): Promise<void> {
  await act(async () => run());
}

/** Show the dialog with a report; without one, it waits for the kernel's answer. */
export async function show(
  report: TopicsReport | null = reportOf(...PATHS),
  traits: Record<string, unknown> = {},
) {
  const model = new FakeModel({ name: "Support", revision: 0, jobs: [], node: null, ...traits });
  const el = await showOn(model, TopicsDialogWidget);
  if (report) await settle(() => model.answer("load", report));
  const change = async (next: TopicsReport) => {
    await settle(() => model.set("revision", Number(model.get("revision")) + 1));
    await settle(() => model.answer("load", next));
  };
  return { model, el, change };
}

export function row(name: string): HTMLElement {
  const found = screen.getByText(name, { selector: ".rft-topic-name" }).closest("[role=treeitem]");
  if (!(found instanceof HTMLElement)) throw new Error(`there is no row ${name}`);
  return found;
}
export const press = (key: string, more: object = {}) =>
  settle(() => {
    fireEvent.keyDown(document.activeElement ?? document.body, { key, ...more });
  });
export const last = (model: FakeModel, method: string) => model.calls(method).at(-1)?.params;
