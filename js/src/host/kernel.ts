// The connection that the host's widget manager has to the kernel, as Jupyter tells of it.
import type { Model } from "./model";

interface Signal<V> {
  connect(slot: (sender: unknown, value: V) => void): void;
  disconnect(slot: (sender: unknown, value: V) => void): void;
}

export interface Kernel {
  readonly id: string;
  readonly connectionStatus: string;
  readonly status: string;
  readonly connectionStatusChanged: Signal<string>;
  readonly statusChanged: Signal<string>;
  readonly serverSettings?: { readonly baseUrl: string };
  reconnect(): Promise<void>;
}

export function kernelOf(model: Model): Kernel | null {
  const manager = model.widget_manager as { readonly kernel?: Kernel | null } | undefined;
  return manager?.kernel ?? null;
}

/** Listen for a connection that was cut and is there again, until `signal`. */
export function onReconnected(model: Model, listener: () => void, signal: AbortSignal): void {
  const kernel = kernelOf(model);
  if (!kernel?.connectionStatusChanged) return;
  let wasCut = false;
  const look = () => {
    if (kernel.connectionStatus !== "connected") wasCut = true;
    else if (wasCut) {
      wasCut = false;
      listener();
    }
  };
  kernel.connectionStatusChanged.connect(look);
  signal.addEventListener("abort", () => kernel.connectionStatusChanged.disconnect(look));
}
