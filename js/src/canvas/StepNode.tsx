import { Handle, type NodeProps, Position } from "@xyflow/react";
import { createContext, type KeyboardEvent, memo, useContext } from "react";
import type { PipelineNode } from "../contract.gen";
import type { StepFlowNode } from "./layout";

export interface StepActions {
  /** Somebody activated a step that does not wait. */
  open(step: number): void;
  /** Move the focus to a step; nothing happens beyond the first and the last. */
  focus(step: number): void;
  /** A step got the focus from the keyboard. */
  focused(step: number): void;
}

export const StepActionsContext = createContext<StepActions | null>(null);

const MOVES: ReadonlyMap<string, (id: number) => number> = new Map([
  ["ArrowDown", (id: number) => id + 1],
  ["ArrowRight", (id: number) => id + 1],
  ["ArrowUp", (id: number) => id - 1],
  ["ArrowLeft", (id: number) => id - 1],
  ["Home", () => 1],
  ["End", () => 7],
]);

/** All that a node shows, in the same order: who speaks to a page says what stands there. */
export function describe(step: PipelineNode): string {
  const head = `Step ${step.id}: ${step.name}, ${step.category.toLowerCase()}`;
  return [head, step.status_label, textOf(step), ...step.stale]
    .filter((part) => part !== "")
    .map((part) => part.replace(/\.$/, ""))
    .join(". ");
}

export const StepNode = memo(function StepNode({ data }: NodeProps<StepFlowNode>) {
  const { step, isCurrent, isSelected } = data;
  const actions = useContext(StepActionsContext);
  const waits = step.status === "waiting";
  const onKeyDown = (event: KeyboardEvent) => {
    const move = MOVES.get(event.key);
    if (move) actions?.focus(move(step.id));
    else if (event.key === "Enter" || event.key === " ") {
      if (!waits) actions?.open(step.id);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const marks = [isCurrent && "rft-step-current", isSelected && "rft-step-selected"];
  return (
    // biome-ignore lint/a11y/useSemanticElements: a button holds no headings and lines of text
    <div
      className={["rft-step", "nopan", `rft-is-${step.status}`, ...marks].filter(Boolean).join(" ")}
      role="button"
      tabIndex={0}
      aria-label={describe(step)}
      aria-disabled={waits}
      aria-current={isCurrent ? "step" : undefined}
      data-step={step.id}
      onClick={() => !waits && actions?.open(step.id)}
      onKeyDown={onKeyDown}
      onFocus={(event) => {
        if (event.currentTarget.matches(":focus-visible")) actions?.focused(step.id);
      }}
    >
      {step.id > 1 && <Handle type="target" position={Position.Top} isConnectable={false} />}
      {/* The spaces keep words apart that only their place keeps apart. */}
      <div className="rft-step-head">
        <span className="rft-step-disc">{step.id}</span>{" "}
        <span className="rft-step-title">
          <span className="rft-step-name">{step.name}</span>{" "}
          <span className="rft-step-line">
            <span className="rft-step-category">{step.category}</span>{" "}
            <span className="rft-step-status">
              {step.status_label}
              <span className="rft-dot" />
            </span>
          </span>
        </span>{" "}
      </div>
      <StepText step={step} />
      {step.status === "processing" && <Progress share={step.progress} />}
      {step.id < 7 && <Handle type="source" position={Position.Bottom} isConnectable={false} />}
    </div>
  );
});

function textOf({ status, blocked_reason, summary }: PipelineNode): string {
  return (status === "waiting" && blocked_reason) || summary;
}

function StepText({ step }: { readonly step: PipelineNode }) {
  const text = textOf(step);
  return (
    <div className="rft-step-text">
      <span className="rft-step-summary" title={text}>
        {text}
      </span>{" "}
      {step.stale.length > 0 && (
        <span className="rft-step-stale" title={step.stale.join("\n")}>
          {step.stale.join(" ")}
        </span>
      )}
    </div>
  );
}

function Progress({ share }: { readonly share: number | null }) {
  const width = share === null ? undefined : { width: `${Math.round(share * 100)}%` };
  return (
    <span className={share === null ? "rft-progress rft-progress-open" : "rft-progress"}>
      <span style={width} />
    </span>
  );
}
