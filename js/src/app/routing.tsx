// The one place that decides what is open: the page, and the dialogs above it.
import {
  createContext,
  type MouseEvent,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { type CloseGuard, GuardsContext, type PlaceStack } from "../host/navigation";
import { type Entry, type Journal, openJournal } from "./journal";
import type { Route } from "./router";

export interface Routing {
  readonly route: Route;
  /** Dialogs above the page, for its navigator. */
  readonly stack: PlaceStack;
  /** How often the person went somewhere else. */
  readonly moves: number;
  readonly isAddress: boolean;
  go(route: Route): void;
  /** Another form of the same page: no step back leads to what was before. */
  replace(route: Route): void;
  href(route: Route): string | undefined;
}

const RoutingContext = createContext<Routing | null>(null);

export function useRouting(): Routing {
  const routing = useContext(RoutingContext);
  if (!routing) throw new Error("The router was used outside of the app.");
  return routing;
}

interface Props {
  readonly journal?: Journal;
  readonly children: ReactNode;
}

export function Router({ journal: given, children }: Props) {
  const [journal] = useState(() => given ?? openJournal());
  const [entry, setEntry] = useState(() => journal.current());
  const [moves, setMoves] = useState(0);
  const guards = useRef<CloseGuard[]>([]);
  const shown = useRef(entry);
  shown.current = entry;

  const actions = useMemo(() => {
    const show = (next: Entry) => {
      shown.current = next;
      setEntry(next);
    };
    const pushed = (next: Entry) => {
      journal.push(next);
      show(next);
    };
    const replaced = (next: Entry) => {
      journal.replace(next);
      show(next);
    };
    /** Do it at once, or when whoever has unsaved changes agrees. */
    const leaving = (leave: () => void) => {
      const guard = guards.current.at(-1);
      if (guard) guard(leave);
      else leave();
    };
    let isAgreed = false;
    const moved = () => {
      const next = journal.current();
      if (guards.current.length > 0 && !isAgreed) {
        // The browser has left already: stay here until the answer, then leave again.
        journal.push(shown.current);
        leaving(() => {
          isAgreed = true;
          journal.back();
        });
        return;
      }
      isAgreed = false;
      if (keyOf(next.route) !== keyOf(shown.current.route)) setMoves((before) => before + 1);
      show(next);
    };
    const go = (route: Route) =>
      leaving(() => {
        pushed({ route, places: [], isOpened: false });
        setMoves((before) => before + 1);
      });
    return {
      moved,
      go,
      replace: (route: Route) => replaced({ ...shown.current, route }),
      settings() {
        const { route } = shown.current;
        if ("id" in route) go({ page: "settings", id: route.id });
      },
      open: (place: Entry["places"][number]) =>
        pushed({
          ...shown.current,
          places: [...shown.current.places, place],
          isOpened: true,
        }),
      replacePlace: (place: Entry["places"][number]) =>
        replaced({ ...shown.current, places: [...shown.current.places.slice(0, -1), place] }),
      close() {
        const { places, isOpened } = shown.current;
        if (places.length === 0 || isAgreed) return; // or it is being closed already
        if (isOpened) {
          isAgreed = true; // whoever closes has asked
          journal.back();
        } else replaced({ ...shown.current, places: places.slice(0, -1) });
      },
    };
  }, [journal]);

  useEffect(() => {
    const life = new AbortController();
    journal.listen(actions.moved, life.signal);
    return () => life.abort();
  }, [journal, actions]);

  const routing = useMemo<Routing>(
    () => ({
      route: entry.route,
      stack: {
        places: entry.places,
        open: actions.open,
        replace: actions.replacePlace,
        close: actions.close,
        ...("id" in entry.route ? { settings: actions.settings } : {}),
      },
      moves,
      isAddress: journal.isAddress,
      go: actions.go,
      replace: actions.replace,
      href: (route) => journal.href({ route, places: [] }),
    }),
    [entry, moves, journal, actions],
  );
  return (
    <RoutingContext value={routing}>
      <GuardsContext value={guards}>{children}</GuardsContext>
    </RoutingContext>
  );
}

/** The same page stays as it is when the key stays: only what it lists, or what is above it, changes. */
export function keyOf(route: Route): string {
  return "id" in route ? `${route.page} ${route.id}` : route.page;
}

interface LinkProps {
  readonly to: Route;
  readonly className?: string;
  readonly label?: string;
  readonly children: ReactNode;
}

/** A real link where there are addresses, so that it opens in another tab; else a button. */
export function Link({ to, className, label, children }: LinkProps) {
  const { href, go } = useRouting();
  const attributes = { className, "aria-label": label, title: label };
  const target = href(to);
  if (target === undefined) {
    return (
      <button type="button" {...attributes} onClick={() => go(to)}>
        {children}
      </button>
    );
  }
  const onClick = (event: MouseEvent) => {
    const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey);
    if (!isPlain || event.altKey) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a href={target} {...attributes} onClick={onClick}>
      {children}
    </a>
  );
}
