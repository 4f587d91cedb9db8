// The one place where components meet Jupyter: traits, calls and the view's lifetime as hooks.
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useSyncExternalStore,
} from "react";
import type { Model } from "./model";
import { type CallMap, newId, openRpc, type Rpc } from "./rpc";

export interface Host {
  readonly model: Model;
  readonly rpc: Rpc<never>;
}

const HostContext = createContext<Host | null>(null);

interface ProviderProps {
  readonly model: Model;
  readonly signal: AbortSignal;
  readonly children: ReactNode;
}

export function HostProvider({ model, signal, children }: ProviderProps) {
  const host = useMemo(() => ({ model, rpc: openRpc<never>(model, signal) }), [model, signal]);
  return <HostContext value={host}>{children}</HostContext>;
}

export function useHost(): Host {
  const host = useContext(HostContext);
  if (!host) throw new Error("A widget's hook was used outside of HostProvider.");
  return host;
}

/** The hooks of one widget, typed by its contract. */
export function widgetHooks<T extends object, C extends CallMap<C>>() {
  /** The present value of a trait; the component is drawn again when it changes. */
  function useTrait<N extends keyof T & string>(name: N): T[N] {
    const { model } = useHost();
    const subscribe = useCallback(
      (changed: () => void) => {
        const event = `change:${name}`;
        model.on(event, changed);
        return () => model.off(event, changed);
      },
      [model, name],
    );
    // The contract is made from the traits' own definitions.
    return useSyncExternalStore(subscribe, () => model.get(name) as T[N]);
  }

  function useRpc(): Rpc<C> {
    return useHost().rpc as unknown as Rpc<C>;
  }

  return { useTrait, useRpc };
}

interface Following {
  attach: { params: { readonly view: string }; result: null };
  detach: { params: { readonly view: string }; result: null };
}

/** Tell the kernel that somebody looks, so that it keeps this view up to date meanwhile. */
export function useFollow(): void {
  const rpc = useHost().rpc as unknown as Rpc<Following>;
  useEffect(() => {
    const view = newId();
    const attach = () => rpc.tell("attach", { view });
    const detach = () => rpc.tell("detach", { view });
    attach();
    // A page that is closed runs no cleanup; one that comes back from the cache runs on.
    window.addEventListener("pagehide", detach);
    window.addEventListener("pageshow", attach);
    return () => {
      window.removeEventListener("pagehide", detach);
      window.removeEventListener("pageshow", attach);
      detach();
    };
  }, [rpc]);
}

/** Ask again after each change of the dataset; answers of before stand until the new ones come. */
export function useRevision(): number {
  const { model } = useHost();
  const subscribe = useCallback(
    (changed: () => void) => {
      model.on("change:revision", changed);
      return () => model.off("change:revision", changed);
    },
    [model],
  );
  return useSyncExternalStore(subscribe, () => Number(model.get("revision") ?? 0));
}
