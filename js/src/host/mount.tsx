// Puts a component into a view, with everything around it that every widget has.
import { Component, type ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { ProblemNote } from "../ui/ProblemNote";
import { Toasts } from "../ui/toasts";
import { HostProvider } from "./bridge";
import type { ViewContext } from "./model";
import { Navigator } from "./navigation";
import { LAB_SILENT } from "./portal";
import { useTheme } from "./theme";

export type Components = ReadonlyMap<string, () => ReactNode>;

/** Show a component until the result is called; the element is as before then. */
export function mount(components: Components, name: string, ctx: ViewContext): () => void {
  const Shown = components.get(name);
  if (!Shown) throw new Error(`there is no component ${JSON.stringify(name)}`);
  const life = new AbortController();
  const root = createRoot(ctx.el);
  root.render(
    <Frame>
      <Boundary>
        <HostProvider model={ctx.model} signal={life.signal}>
          <Toasts>
            <Navigator components={components}>
              <Shown />
            </Navigator>
          </Toasts>
        </HostProvider>
      </Boundary>
    </Frame>,
  );
  const unmount = () => {
    if (life.signal.aborted) return;
    root.unmount(); // first: what is cleaned up may still tell the kernel
    life.abort();
  };
  ctx.signal?.addEventListener("abort", unmount, { once: true });
  return unmount;
}

function Frame({ children }: { readonly children: ReactNode }) {
  return (
    // Lab asks the element with the focus first, and only then what it stands in, whether it wants
    // no shortcuts: Enter on a button would open the cell's editor, an arrow key leave the cell.
    // biome-ignore lint/a11y/noStaticElementInteractions: it takes no key, it keeps them in
    <div
      className="rft"
      data-rft-theme={useTheme()}
      {...LAB_SILENT}
      onKeyDown={(event) => event.stopPropagation()}
    >
      {children}
    </div>
  );
}

interface BoundaryState {
  readonly failed: Error | null;
}

/** A component that fails says so in its place, and takes nothing else with it. */
class Boundary extends Component<{ readonly children: ReactNode }, BoundaryState> {
  override state: BoundaryState = { failed: null };

  static getDerivedStateFromError(failed: Error): BoundaryState {
    return { failed };
  }

  override render(): ReactNode {
    const { failed } = this.state;
    if (!failed) return this.props.children;
    const problem = { code: "page", message: `This view failed: ${failed.message}`, hint: null };
    return <ProblemNote problem={problem} onRetry={() => this.setState({ failed: null })} />;
  }
}
