// The app's own model, for what stands on a page with a model of its own: the jobs, and deleting.
import { createContext, type ReactNode, useContext } from "react";
import type { AppCalls, AppTraits, JobLine } from "../contract.gen";
import { widgetHooks } from "../host/bridge";
import type { Rpc } from "../host/rpc";

interface AppSide {
  readonly rpc: Rpc<AppCalls>;
  readonly jobs: readonly JobLine[];
}

const AppContext = createContext<AppSide | null>(null);
const { useTrait, useRpc } = widgetHooks<AppTraits, AppCalls>();

export function AppHost({ children }: { readonly children: ReactNode }) {
  const rpc = useRpc();
  const jobs = useTrait("jobs") ?? NONE;
  return <AppContext value={{ rpc, jobs }}>{children}</AppContext>;
}

export function useApp(): AppSide {
  const app = useContext(AppContext);
  if (!app) throw new Error("A part of the app was used outside of it.");
  return app;
}

const NONE: readonly JobLine[] = [];
