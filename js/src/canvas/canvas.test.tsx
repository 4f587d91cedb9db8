import { act, cleanup, fireEvent, render } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { PIPELINE_STEPS, type PipelineNode, type PipelineState } from "../contract.gen";
import { edgeLook, flowEdges, flowNodes } from "./layout";
import { PipelineCanvas } from "./PipelineCanvas";
import { describe as inWords } from "./StepNode";

type Status = PipelineNode["status"];
const STATUSES: readonly Status[] = [
  "active",
  "complete",
  "attention",
  "configured",
  "processing",
  "ready",
  "waiting",
];

function steps(statuses: readonly Status[] = STATUSES): PipelineNode[] {
  return PIPELINE_STEPS.map(({ id, name, category, can_retrigger }, index) => {
    const status = statuses[index] ?? "ready";
    return {
      ...{ id, name, category, can_retrigger, status },
      summary: `summary ${id}`,
      status_label: status,
      blocked_reason: status === "waiting" ? "Complete training first" : null,
      stale: id === 5 ? ["The topics have changed since."] : [],
      progress: status === "processing" ? 0.45 : null,
    };
  });
}

function show(state: PipelineState) {
  const onOpen = vi.fn();
  const props = { name: "<img src=x onerror=alert(1)>", height: 700, selected: 0, onOpen };
  const view = render(<PipelineCanvas {...props} state={state} colors="dark" />);
  const step = (id: number) => view.container.querySelector<HTMLElement>(`[data-step="${id}"]`);
  const again = (next: PipelineState) =>
    view.rerender(<PipelineCanvas {...props} state={next} colors="dark" />);
  return { onOpen, view, step, again };
}

afterEach(cleanup);

describe("layout", () => {
  it("stands as the plan says", () => {
    const nodes = flowNodes(steps(), 3, 0);
    expect(nodes[0]).toMatchObject({ position: { x: 100, y: 50 }, width: 280, height: 120 });
    expect(nodes.map((node) => node.position.y)).toEqual([50, 210, 370, 530, 690, 850, 1010]);
    expect(nodes.map((node) => node.data.isCurrent)).toEqual(
      [1, 2, 3, 4, 5, 6, 7].map((id) => id === 3),
    );
  });

  it("draws a line solid after a finished step, animated while it runs", () => {
    expect(steps().map(edgeLook)).toEqual([
      ...["done", "done", "before", "done", "running", "before", "before"],
    ]);
    expect(flowEdges(steps()).map((edge) => edge.animated)).toEqual([
      ...[false, false, false, false, true, false],
    ]);
  });
});

describe("the canvas", () => {
  const state = { nodes: steps(), current_step: 3 };

  it("shows every step, and each change of the state", () => {
    const { view, step, again } = show(state);
    expect(view.container.querySelectorAll(".rft-step")).toHaveLength(7);
    expect(step(7)?.textContent).toContain("Complete training first");
    expect(step(5)?.textContent).toContain("The topics have changed since.");
    expect(step(3)?.getAttribute("aria-current")).toBe("step");
    expect(view.container.querySelector("img")).toBeNull();
    again({ nodes: steps(["active", "complete", "complete"]), current_step: 4 });
    expect(step(3)?.className).toContain("rft-is-complete");
    expect(step(4)?.getAttribute("aria-current")).toBe("step");
  });

  it("says a step in one sentence", () => {
    expect(inWords(steps()[4] as PipelineNode)).toBe(
      "Step 5: Dry Run, validation. processing. summary 5. The topics have changed since",
    );
  });

  it("opens a step by mouse and by key, and no step that waits", () => {
    const { onOpen, step } = show(state);
    const click = (id: number) => act(() => step(id)?.click());
    click(2);
    fireEvent.keyDown(step(3) as Element, { key: "Enter" });
    fireEvent.keyDown(step(4) as Element, { key: " " });
    click(7);
    fireEvent.keyDown(step(7) as Element, { key: "Enter" });
    expect(onOpen.mock.calls).toEqual([[2], [3], [4]]);
  });

  it("moves by arrow keys and stops at the ends", () => {
    const { step } = show(state);
    const press = (key: string) => fireEvent.keyDown(document.activeElement as Element, { key });
    step(1)?.focus();
    press("ArrowUp");
    expect(document.activeElement).toBe(step(1));
    press("ArrowDown");
    expect(document.activeElement).toBe(step(2));
    press("End");
    press("ArrowRight");
    expect(document.activeElement).toBe(step(7));
    press("ArrowLeft");
    expect(document.activeElement).toBe(step(6));
  });
});
