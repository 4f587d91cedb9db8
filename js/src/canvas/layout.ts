// Where the steps stand, and how the lines between them look.
import { type Edge, MarkerType, type Node, Position } from "@xyflow/react";
import { FINISHED, type PipelineNode } from "../contract.gen";

export const NODE_WIDTH = 280;
export const NODE_HEIGHT = 120;
export const NODE_GAP = 40;
export const START = { x: 100, y: 50 } as const;
export const ZOOM = { min: 0.5, max: 1.5 } as const;

export interface StepData extends Record<string, unknown> {
  readonly step: PipelineNode;
  readonly isCurrent: boolean;
  readonly isSelected: boolean;
}

export type StepFlowNode = Node<StepData, "step">;

/** Step 1 is done while it is active: there are records. */
export function isDone(step: PipelineNode): boolean {
  return step.status === "active" || FINISHED.some((status) => status === step.status);
}

export function flowNodes(
  steps: readonly PipelineNode[],
  current: number,
  selected: number,
): StepFlowNode[] {
  return steps.map((step, index) => ({
    id: String(step.id),
    type: "step",
    position: { x: START.x, y: START.y + index * (NODE_HEIGHT + NODE_GAP) },
    // Sizes are known, so lines are drawn at once and nothing is measured.
    width: NODE_WIDTH,
    height: NODE_HEIGHT,
    measured: { width: NODE_WIDTH, height: NODE_HEIGHT },
    handles: [
      { type: "target", position: Position.Top, x: NODE_WIDTH / 2, y: 0, width: 1, height: 1 },
      {
        type: "source",
        position: Position.Bottom,
        x: NODE_WIDTH / 2,
        y: NODE_HEIGHT,
        width: 1,
        height: 1,
      },
    ],
    data: { step, isCurrent: step.id === current, isSelected: step.id === selected },
  }));
}

export type EdgeLook = "before" | "done" | "running";

export function edgeLook(from: PipelineNode): EdgeLook {
  if (from.status === "processing") return "running";
  return isDone(from) ? "done" : "before";
}

export function flowEdges(steps: readonly PipelineNode[]): Edge[] {
  return steps.slice(0, -1).map((from, index) => {
    const look = edgeLook(from);
    const to = steps[index + 1]?.id ?? from.id + 1;
    return {
      id: `${from.id}-${to}`,
      source: String(from.id),
      target: String(to),
      type: "straight",
      className: `rft-edge rft-edge-${look}`,
      animated: look === "running",
      focusable: false,
      markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14, color: "context-stroke" },
    };
  });
}
