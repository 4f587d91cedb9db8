// What the widget manager gives a view: the part of it that is used here.

export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  /** Knows the models of all widgets of the kernel. */
  readonly widget_manager?: { get_model(id: string): Promise<Model> };
  send(content: unknown, callbacks?: object, buffers?: readonly ArrayBuffer[]): void;
  on(event: string, listener: (...args: unknown[]) => void): void;
  off(event: string, listener: (...args: unknown[]) => void): void;
}

export interface ViewContext {
  readonly model: Model;
  readonly el: HTMLElement;
  readonly signal?: AbortSignal;
}

/** Listen until the signal says that the view is gone. */
export function listen(
  model: Model,
  event: string,
  listener: (...args: unknown[]) => void,
  signal: AbortSignal,
): void {
  if (signal.aborted) return;
  model.on(event, listener);
  signal.addEventListener("abort", () => model.off(event, listener), { once: true });
}
