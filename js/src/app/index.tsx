// widgets/app.py on the page: four pages, one kernel.
import { type ReactNode, useCallback } from "react";
import type { AppCalls, AppTraits } from "../contract.gen";
import { HostProvider, useFollow, widgetHooks } from "../host/bridge";
import { useConnection } from "../host/connection";
import { Navigator, useComponents } from "../host/navigation";
import { useOpenedModel } from "../host/opened";
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
  const { stack } = useRouting();
  const { model, problem, signal, retry } = useOpenedModel(open);
  const Shown = components.get(component);
  if (problem) return <Missing problem={problem} onRetry={retry} />;
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
    <HostProvider model={model} signal={signal}>
      <Navigator components={components} stack={stack}>
        <Shown />
      </Navigator>
    </HostProvider>
  );
}
