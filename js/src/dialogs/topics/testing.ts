// Values as the kernel sends them, for tests.
import type { ReviewItem, TopicRow, TopicsReport } from "../../contract.gen";

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
