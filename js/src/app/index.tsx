// widgets/app.py on the page: four pages, one kernel.
import { type ReactNode, useCallback, useEffect, useMemo, useState } from "react";
import type { AppCalls, AppTraits, Problem } from "../contract.gen";
import { HostProvider, useFollow, useHost, widgetHooks } from "../host/bridge";
import { useConnection } from "../host/connection";
import { asProblem } from "../host/loaded";
import type { Model } from "../host/model";
import { Navigator, useComponents } from "../host/navigation";
import { Skeleton } from "../ui/Skeleton";
import { AppHost } from "./app_host";
import { Lost } from "./Lost";
import { ListPage } from "./list";
import { Missing } from "./Missing";
import { PageHead } from "./PageHead";
import { keyOf, Router, useRouting } from "./routing";

const { useRpc } = widgetHooks<AppTraits, AppCalls>();

export function AppWidget() {
  return (
    <Router>
      <AppHost>
        <Shell />
      </AppHost>
    </Router>
  );
}

function Shell() {
  useFollow();
  const { route, isAddress } = useRouting();
  const connection = useConnection(isAddress);
  const isGone = connection.status === "gone";
  return (
    <div className={isAddress ? "rft-app rft-app-full" : "rft-app"}>
      {connection.status !== "connected" && <Lost {...connection} isApp={isAddress} />}
      <div className="rft-app-page" inert={isGone} key={keyOf(route)}>
        <Page />
      </div>
    </div>
  );
}

function Page() {
  const rpc = useRpc();
  const { route } = useRouting();
  const id = "id" in route ? route.id : "";
  const openDataset = useCallback(() => rpc.call("open_dataset", { dataset: id }), [rpc, id]);
  const openCreate = useCallback(() => rpc.call("open_create", {}), [rpc]);
  switch (route.page) {
    case "list":
      return <ListPage query={route} />;
    case "create":
      return <Opened component="app/create_page" title="New Dataset" open={openCreate} />;
    case "canvas":
    case "settings":
      return (
        <Opened
          component="app/dataset_page"
          title={route.page === "canvas" ? "RFT Pipeline" : "Settings"}
          open={openDataset}
        />
      );
    case "unknown":
      return <Missing />;
  }
}

interface OpenedProps {
  readonly component: string;
  /** Until the page itself is there. */
  readonly title: string;
  open(): Promise<string>;
}

/** A page with a model of its own in the kernel; what opens above it is opened by that. */
function Opened({ component, title, open }: OpenedProps): ReactNode {
  const components = useComponents();
  const { model: root } = useHost();
  const { stack } = useRouting();
  const [model, setModel] = useState<Model | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const life = useMemo(() => new AbortController(), []);

  const find = useCallback(async () => {
    setProblem(null);
    try {
      const found = await root.widget_manager?.get_model(await open());
      if (!found) throw new Error("The kernel's view of this is not there.");
      setModel(found);
    } catch (error) {
      setProblem(asProblem(error));
    }
  }, [root, open]);
  useEffect(() => void find(), [find]);
  // Later than the cleanup of what is shown, which tells the kernel that nobody looks any more.
  useEffect(() => () => queueMicrotask(() => life.abort()), [life]);

  const Shown = components.get(component);
  if (problem) return <Missing problem={problem} onRetry={find} />;
  if (!(model && Shown)) {
    return (
      <>
        <PageHead name={title} />
        <div className="rft-page-body">
          <Skeleton lines={8} />
        </div>
      </>
    );
  }
  return (
    <HostProvider model={model} signal={life.signal}>
      <Navigator components={components} stack={stack}>
        <Shown />
      </Navigator>
    </HostProvider>
  );
}
