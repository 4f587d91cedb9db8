// What the shim asks the bundle for.
import { CanvasWidget } from "./canvas";
import { HealthBarWidget } from "./health_bar";
import type { ViewContext } from "./host/model";
import { type Components, mount } from "./host/mount";

const components: Components = new Map([
  ["canvas", CanvasWidget],
  ["health_bar", HealthBarWidget],
]);

export function mountWidget(component: string, ctx: ViewContext): () => void {
  return mount(components, component, ctx);
}
