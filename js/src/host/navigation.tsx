// What stands above a widget: dialogs and the records, each a view of a model of its own.
import {
  createContext,
  type ReactNode,
  type RefObject,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import {
  DIALOG_TITLES,
  type DialogName,
  PIPELINE_STEPS,
  type RecordsPreset,
  type Selection,
} from "../contract.gen";
import { DialogFrame } from "../ui/DialogFrame";
import { Overlay } from "../ui/Overlay";
import { ProblemNote } from "../ui/ProblemNote";
import { Skeleton } from "../ui/Skeleton";
import { HostProvider, useHost } from "./bridge";
import { useOpenedModel } from "./opened";
import type { Rpc } from "./rpc";

/** A dialog, perhaps about selected records or a training run, or the records with a filter. */
export type Place =
  | {
      readonly kind: "dialog";
      readonly name: DialogName;
      readonly selection?: Selection;
      readonly run?: string;
    }
  | { readonly kind: "records"; readonly preset: RecordsPreset };

/** The dialog of a step (1..7). */
export function stepDialog(step: number): Place | null {
  const found = PIPELINE_STEPS.find(({ id }) => id === step);
  return found ? { kind: "dialog", name: found.dialog } : null;
}

export interface Navigation {
  /** Open above what is there; closing comes back to it. */
  open(place: Place): void;
  /** Open instead of the uppermost. */
  replace(place: Place): void;
  /** Close the uppermost. */
  close(): void;
  /** Leave for the settings of the dataset; nothing where the page has none, as in a notebook. */
  readonly settings?: (() => void) | undefined;
}

interface Opening {
  open_dialog: { params: { readonly dialog: DialogName }; result: string };
  open_records: { params: Record<string, never>; result: string };
}

const NavigationContext = createContext<Navigation | null>(null);
const PresetContext = createContext<RecordsPreset | null>(null);
const SelectionContext = createContext<Selection | null>(null);
const RunContext = createContext<string | null>(null);
const InOverlayContext = createContext(false);
const ComponentsContext = createContext<Components>(new Map());
const GuardContext = createContext<RefObject<CloseGuard | null> | null>(null);

/** Asked before a place is left, with what leaves it. */
export type CloseGuard = (leave: () => void) => void;

/** All who want to be asked on this page, the uppermost last: for who may leave all of it. */
export const GuardsContext = createContext<RefObject<CloseGuard[]> | null>(null);

type Components = ReadonlyMap<string, () => ReactNode>;

/** Every component there is, by the name that its model has for it. */
export const useComponents = (): Components => useContext(ComponentsContext);

export function useNavigation(): Navigation {
  const navigation = useContext(NavigationContext);
  if (!navigation) throw new Error("Navigation was used outside of Navigator.");
  return navigation;
}

/** What the records were opened with; nothing in a cell of their own. */
export const usePreset = (): RecordsPreset | null => useContext(PresetContext);

/** The records that a dialog was opened for; nothing where it is about all of them. */
export const useSelection = (): Selection | null => useContext(SelectionContext);

/** The training run that a dialog was opened for; nothing where it was opened for none. */
export const useRun = (): string | null => useContext(RunContext);

/** Whether a widget stands above another, and so can be closed. */
export const useInOverlay = (): boolean => useContext(InOverlayContext);

/** Ask before the place that this stands in is closed or replaced, as with unsaved changes. */
export function useCloseGuard(guard: CloseGuard | null): void {
  const place = useContext(GuardContext);
  const all = useContext(GuardsContext);
  useEffect(() => {
    if (!place) return;
    place.current = guard;
    return () => {
      place.current = null;
    };
  }, [place, guard]);
  useEffect(() => {
    if (!all || !guard) return;
    all.current.push(guard);
    return () => {
      all.current = all.current.filter((one) => one !== guard);
    };
  }, [all, guard]);
}

/** What stands above a widget, and who decides that. */
export interface PlaceStack extends Navigation {
  readonly places: readonly Place[];
}

interface NavigatorProps {
  readonly components: Components;
  /** Who decides what is open; by default that is the navigator itself. */
  readonly stack?: PlaceStack;
  readonly children: ReactNode;
}

/** Shows places above a widget; the lowest navigator is the one that all of them use. */
export function Navigator({ components, stack, children }: NavigatorProps) {
  const own = useOwnStack();
  const { places, open, replace, close, settings } = stack ?? own;
  const navigation = useMemo<Navigation>(
    () => ({ open, replace, close, settings }),
    [open, replace, close, settings],
  );
  // One after the other: of two that open at once each would hide the other from readers.
  const [most, setMost] = useState(0);
  useEffect(() => setMost((before) => Math.min(before + 1, places.length)), [places, most]);
  return (
    <ComponentsContext value={components}>
      <NavigationContext value={navigation}>
        {children}
        {places.slice(0, most).map((place, index) => (
          <Above key={`${index}-${componentOf(place)}`} place={place} components={components} />
        ))}
      </NavigationContext>
    </ComponentsContext>
  );
}

function useOwnStack(): PlaceStack {
  const [places, setPlaces] = useState<readonly Place[]>([]);
  const navigation = useMemo<Navigation>(
    () => ({
      open: (place) => setPlaces((before) => [...before, place]),
      replace: (place) => setPlaces((before) => [...before.slice(0, -1), place]),
      close: () => setPlaces((before) => before.slice(0, -1)),
    }),
    [],
  );
  return { places, ...navigation };
}

function componentOf(place: Place): string {
  return place.kind === "records" ? "records_grid" : `dialogs/${place.name.replaceAll("-", "_")}`;
}

const titleOf = (place: Place) =>
  place.kind === "records" ? "Records" : DIALOG_TITLES[place.name];

interface AboveProps {
  readonly place: Place;
  readonly components: NavigatorProps["components"];
}

function Above({ place, components }: AboveProps) {
  const guard = useRef<CloseGuard | null>(null);
  const lowest = useNavigation();
  const navigation = useMemo<Navigation>(() => {
    const leaving = (leave: () => void) => (guard.current ? guard.current(leave) : leave());
    return {
      open: lowest.open,
      replace: (next) => leaving(() => lowest.replace(next)),
      close: () => leaving(lowest.close),
      settings: lowest.settings,
    };
  }, [lowest]);
  const rpc = useHost().rpc as unknown as Rpc<Opening>;
  const name = place.kind === "dialog" ? place.name : null;
  const open = useCallback(
    () => (name ? rpc.call("open_dialog", { dialog: name }) : rpc.call("open_records", {})),
    [name, rpc],
  );
  const { model, problem, signal, retry } = useOpenedModel(open);

  const Shown = components.get(componentOf(place));
  return (
    <NavigationContext value={navigation}>
      <GuardContext value={guard}>
        <Overlay shape={place.kind === "records" ? "sheet" : "dialog"} onClose={navigation.close}>
          {!(model && Shown) && (
            <InOverlayContext value={true}>
              <DialogFrame title={titleOf(place)}>
                {problem ? (
                  <ProblemNote problem={problem} onRetry={retry} />
                ) : (
                  <Skeleton lines={8} />
                )}
              </DialogFrame>
            </InOverlayContext>
          )}
          {model && Shown && (
            <InOverlayContext value={true}>
              <PresetContext value={place.kind === "records" ? place.preset : null}>
                <SelectionContext value={(place.kind === "dialog" && place.selection) || null}>
                  <RunContext value={(place.kind === "dialog" && place.run) || null}>
                    <HostProvider model={model} signal={signal}>
                      <Shown />
                    </HostProvider>
                  </RunContext>
                </SelectionContext>
              </PresetContext>
            </InOverlayContext>
          )}
        </Overlay>
      </GuardContext>
    </NavigationContext>
  );
}
