// Where the person has been: in the address of the browser, or in memory where the page is a
// notebook's.
import { baseOfPage } from "../host/page";
import { format, LIST, type Open, parse } from "./router";

export interface Entry extends Open {
  /** Somebody came here from the entry before: to close is to go back to that. */
  readonly isOpened: boolean;
}

export interface Journal {
  readonly isAddress: boolean;
  current(): Entry;
  push(entry: Entry): void;
  replace(entry: Entry): void;
  back(): void;
  /** What a link to it leads to; nothing where there are no addresses. */
  href(open: Open): string | undefined;
  /** Call back when the browser has moved. */
  listen(moved: () => void, signal: AbortSignal): void;
}

export function openJournal(base: string | null = baseOfPage()): Journal {
  return base === null ? inMemory() : inAddress(base);
}

function inAddress(base: string): Journal {
  const href = (open: Open) => base + format(open);
  const stateOf = ({ places, isOpened }: Entry) => ({ rft: { places, isOpened } });
  return {
    isAddress: true,
    current() {
      const { pathname, search } = window.location;
      const path = decoded(pathname.startsWith(base) ? pathname.slice(base.length) : pathname);
      const open = parse(path, search);
      const kept = keptState(window.history.state);
      // What stood above each other, and was opened with more than an address holds.
      if (kept && format({ ...open, places: kept.places }) === format(open)) {
        return { ...open, ...kept };
      }
      return { ...open, isOpened: false };
    },
    push: (entry) => window.history.pushState(stateOf(entry), "", href(entry)),
    replace: (entry) => window.history.replaceState(stateOf(entry), "", href(entry)),
    back: () => window.history.back(),
    href,
    listen: (moved, signal) => window.addEventListener("popstate", moved, { signal }),
  };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function keptState(state: unknown): Pick<Entry, "places" | "isOpened"> | null {
  const kept = (state as { rft?: Pick<Entry, "places" | "isOpened"> } | null)?.rft;
  return kept && Array.isArray(kept.places) ? kept : null;
}

function inMemory(): Journal {
  const entries: Entry[] = [{ route: LIST, places: [], isOpened: false }];
  const current = () => entries.at(-1) as Entry;
  let moved = () => {};
  return {
    isAddress: false,
    current,
    push: (entry) => void entries.push(entry),
    replace: (entry) => void entries.splice(-1, 1, entry),
    back() {
      if (entries.length > 1) entries.pop();
      moved();
    },
    href: () => undefined,
    listen: (callback) => {
      moved = callback;
    },
  };
}
