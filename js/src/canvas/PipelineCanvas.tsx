// The seven steps on a canvas. Knows nothing of Jupyter: state in, `onOpen` out.
import {
  Background,
  BackgroundVariant,
  Controls,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  useViewport,
} from "@xyflow/react";
import { Maximize } from "lucide-react";
import { type RefObject, useEffect, useMemo, useRef } from "react";
import { createPortal } from "react-dom";
import type { PipelineState } from "../contract.gen";
import { IconButton } from "../ui/Button";
import { flowEdges, flowNodes, NODE_HEIGHT, NODE_WIDTH, ZOOM } from "./layout";
import { type StepActions, StepActionsContext, StepNode } from "./StepNode";

const NODE_TYPES = { step: StepNode };
const FIT = { padding: 0.04, minZoom: ZOOM.min, maxZoom: 1 };

export interface PipelineCanvasProps {
  readonly state: PipelineState;
  readonly name: string;
  /** In pixels; without, it fills what is there. */
  readonly height?: number | undefined;
  /** Where the buttons of the zoom go, if not onto the canvas. */
  readonly zoomInto?: HTMLElement | null | undefined;
  readonly selected: number;
  readonly colors: "light" | "dark";
  onOpen(step: number): void;
}

export function PipelineCanvas(props: PipelineCanvasProps) {
  return (
    <section
      className={props.height === undefined ? "rft-canvas rft-canvas-full" : "rft-canvas"}
      aria-label={`RFT pipeline of ${props.name}`}
      style={{ height: props.height }}
    >
      <ReactFlowProvider>
        <Flow {...props} />
      </ReactFlowProvider>
    </section>
  );
}

function Flow({ state, selected, colors, zoomInto, onOpen }: PipelineCanvasProps) {
  const frame = useRef<HTMLDivElement>(null);
  const flow = useReactFlow();
  const isMoved = useRef(false);
  const nodes = useMemo(
    () => flowNodes(state.nodes, state.current_step, selected),
    [state, selected],
  );
  const edges = useMemo(() => flowEdges(state.nodes), [state]);

  // Lab lays a cell out late and makes it wider or narrower later on; what somebody has moved stays.
  useEffect(() => {
    const element = frame.current;
    if (!element || typeof ResizeObserver === "undefined") return;
    const observer = new ResizeObserver(() => {
      if (!isMoved.current && element.clientWidth > 0) void flow.fitView(FIT);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [flow]);

  const actions = useMemo<StepActions>(
    () => ({
      open: onOpen,
      focus(step) {
        const target = frame.current?.querySelector<HTMLElement>(`[data-step="${step}"]`);
        target?.focus({ preventScroll: true });
      },
      focused(step) {
        const element = frame.current?.querySelector(`[data-step="${step}"]`);
        const node = flow.getNode(String(step));
        if (!frame.current || !element || !node || isInside(element, frame.current)) return;
        const { x, y } = node.position;
        const zoom = flow.getZoom();
        void flow.setCenter(x + NODE_WIDTH / 2, y + NODE_HEIGHT / 2, { zoom });
      },
    }),
    [flow, onOpen],
  );

  return (
    <StepActionsContext value={actions}>
      <div ref={frame} className="rft-canvas-frame">
        <ReactFlow
          nodes={nodes}
          edges={edges}
          nodeTypes={NODE_TYPES}
          colorMode={colors}
          fitView
          fitViewOptions={FIT}
          minZoom={ZOOM.min}
          maxZoom={ZOOM.max}
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          disableKeyboardA11y
          zoomOnScroll={false} // the wheel scrolls the page; with Ctrl it zooms
          zoomOnDoubleClick={false}
          preventScrolling={false}
          proOptions={{ hideAttribution: true }}
          onMoveStart={(event) => {
            if (event) isMoved.current = true;
          }}
        >
          <Background variant={BackgroundVariant.Dots} gap={20} size={1} />
          {zoomInto === undefined ? (
            <Controls
              showInteractive={false}
              fitViewOptions={FIT}
              onFitView={() => {
                isMoved.current = false;
              }}
            />
          ) : (
            zoomInto && createPortal(<Zoom isMoved={isMoved} />, zoomInto)
          )}
        </ReactFlow>
      </div>
    </StepActionsContext>
  );
}

function isInside(element: Element, frame: Element): boolean {
  const inner = element.getBoundingClientRect();
  const outer = frame.getBoundingClientRect();
  return (
    inner.top >= outer.top &&
    inner.bottom <= outer.bottom &&
    inner.left >= outer.left &&
    inner.right <= outer.right
  );
}

/** The zoom as buttons in a bar: smaller, how large it is, larger, all of it. */
function Zoom({ isMoved }: { readonly isMoved: RefObject<boolean> }) {
  const flow = useReactFlow();
  const { zoom } = useViewport();
  const by = (step: number) => () => {
    isMoved.current = true;
    void flow.zoomTo(Math.min(ZOOM.max, Math.max(ZOOM.min, zoom + step)));
  };
  return (
    <fieldset className="rft-zoom">
      <legend className="rft-hidden">Zoom</legend>
      <IconButton label="Zoom out" disabled={zoom <= ZOOM.min} onClick={by(-0.1)}>
        −
      </IconButton>
      <output className="rft-zoom-now">{`${Math.round(zoom * 100)}%`}</output>
      <IconButton label="Zoom in" disabled={zoom >= ZOOM.max} onClick={by(0.1)}>
        +
      </IconButton>
      <IconButton
        label="Fit view"
        onClick={() => {
          isMoved.current = false;
          void flow.fitView(FIT);
        }}
      >
        <Maximize size={14} aria-hidden />
      </IconButton>
    </fieldset>
  );
}
