// Addresses of the pages. Pure functions: a path and a query say what is open, and back.
import type { AppCalls, RecordFilter, RecordsPreset } from "../contract.gen";
import { DIALOG_TITLES, type DialogName } from "../contract.gen";
import { type Place, stepDialog } from "../host/navigation";

export type ListQuery = Required<AppCalls["list_datasets"]["params"]>;

export type Route =
  | ({ readonly page: "list" } & ListQuery)
  | { readonly page: "create" }
  | { readonly page: "canvas" | "settings"; readonly id: string }
  | { readonly page: "unknown"; readonly path: string };

/** What is open: a page, and what stands above it. */
export interface Open {
  readonly route: Route;
  readonly places: readonly Place[];
}

export const ROOT = "optimization";
export const LIST: Route = { page: "list", search: "", status: null, sort: "updated" };

const ID = /^[\w-]{1,64}$/;
const STATUSES = ["in_progress", "attention", "training", "complete"] as const;
const SORTS = ["updated", "name", "records"] as const;

const oneOf = <V extends string>(values: readonly V[], text: string | null): V | null =>
  values.find((value) => value === text) ?? null;

/** What a path (below the base, without a leading slash) and a query open. */
export function parse(path: string, query: string): Open {
  const given = new URLSearchParams(query);
  const route = routeOf(path, given);
  return { route, places: route.page === "canvas" ? placesOf(given) : [] };
}

/** Path and query of what is open; of several places above each other, that of the uppermost. */
export function format({ route, places }: Open): string {
  const query = new URLSearchParams();
  if (route.page === "list") {
    if (route.search) query.set("search", route.search);
    if (route.status) query.set("status", route.status);
    if (route.sort !== "updated") query.set("sort", route.sort);
  }
  const top = route.page === "canvas" ? places.at(-1) : undefined;
  if (top?.kind === "dialog") query.set("dialog", top.name);
  if (top?.kind === "records") writeFilter(query, top.preset.where ?? {});
  const words = query.toString();
  return words ? `${pathOf(route)}?${words}` : pathOf(route);
}

function routeOf(path: string, given: URLSearchParams): Route {
  const parts = path.split("/").filter((part) => part !== "");
  const [root, id, last] = parts;
  if (root !== ROOT || parts.length > 3) return { page: "unknown", path };
  if (id === undefined) {
    return {
      page: "list",
      search: (given.get("search") ?? "").slice(0, 200),
      status: oneOf(STATUSES, given.get("status")),
      sort: oneOf(SORTS, given.get("sort")) ?? "updated",
    };
  }
  if (id === "new" && last === undefined) return { page: "create" };
  if (!ID.test(id) || id === "new") return { page: "unknown", path };
  if (last === undefined) return { page: "canvas", id };
  return last === "settings" ? { page: "settings", id } : { page: "unknown", path };
}

function pathOf(route: Route): string {
  switch (route.page) {
    case "list":
      return ROOT;
    case "create":
      return `${ROOT}/new`;
    case "canvas":
      return `${ROOT}/${route.id}`;
    case "settings":
      return `${ROOT}/${route.id}/settings`;
    case "unknown":
      return route.path;
  }
}

function placesOf(given: URLSearchParams): readonly Place[] {
  const name = given.get("dialog");
  if (name !== null && Object.hasOwn(DIALOG_TITLES, name)) {
    return [{ kind: "dialog", name: name as DialogName }];
  }
  const step = stepDialog(Number(given.get("node")));
  if (step) return [step];
  return given.get("records") === "true" ? [{ kind: "records", preset: readFilter(given) }] : [];
}

/** Filters with a name of their own; every other one is written field by field. */
const NAMED: Readonly<Record<string, readonly [where: RecordFilter, badge: string]>> = {
  invalid: [{ valid: false }, "Invalid records"],
  valid: [{ valid: true }, "Valid records"],
  generated: [{ source: "generated" }, "Generated records"],
  uncategorized: [{ uncategorized: true }, "Without a topic"],
  low_confidence: [{ low_confidence: true }, "Low confidence"],
};
const TEXTS = ["search", "topic", "dry_run", "code"] as const;
const NUMBERS = ["min_score", "max_score"] as const;

function readFilter(given: URLSearchParams): RecordsPreset {
  const filter = given.get("filter") ?? "";
  const named = Object.hasOwn(NAMED, filter) ? NAMED[filter] : undefined;
  const where: Record<string, string | number | boolean> = { ...named?.[0] } as never;
  for (const field of TEXTS) {
    const text = given.get(field);
    if (text) where[field] = text;
  }
  for (const field of NUMBERS) {
    const text = given.get(field);
    if (text && Number.isFinite(Number(text))) where[field] = Number(text);
  }
  const fields = Object.keys(where).length;
  if (fields === 0) return {};
  // The kernel checks every field against its type, whatever an address says.
  return { where: where as RecordFilter, badge: (fields === 1 && named?.[1]) || "Some records" };
}

function writeFilter(query: URLSearchParams, where: RecordFilter): void {
  query.set("records", "true");
  for (const [name, [named]] of Object.entries(NAMED)) {
    const [field, value] = Object.entries(named)[0] ?? [];
    if (field && where[field as keyof RecordFilter] === value) query.set("filter", name);
  }
  for (const field of [...TEXTS, ...NUMBERS]) {
    const value = where[field];
    if (value !== undefined && value !== null && value !== "") query.set(field, String(value));
  }
}
