// widgets/canvas.py on the page.
import { useCallback } from "react";
import type { CanvasCalls, CanvasTraits } from "../contract.gen";
import { useFollow, widgetHooks } from "../host/bridge";
import { stepDialog, useNavigation } from "../host/navigation";
import { useTheme } from "../host/theme";
import { ProblemNote } from "../ui/ProblemNote";
import { PipelineCanvas } from "./PipelineCanvas";

const { useTrait, useRpc } = widgetHooks<CanvasTraits, CanvasCalls>();

export function CanvasWidget() {
  useFollow();
  const rpc = useRpc();
  const state = useTrait("state");
  const name = useTrait("name");
  const height = useTrait("height");
  const selected = useTrait("selected");
  const problem = useTrait("problem");
  const colors = useTheme() === "lab-light" ? "light" : "dark";
  const navigation = useNavigation();
  const onOpen = useCallback(
    (step: number) => {
      const place = stepDialog(step);
      if (place) navigation.open(place);
      rpc.tell("open_step", { step });
    },
    [rpc, navigation],
  );
  if (problem) return <ProblemNote problem={problem} />;
  if (!state) return <div className="rft-canvas rft-skeleton" style={{ height }} />;
  return <PipelineCanvas {...{ state, name, height, selected, colors, onOpen }} />;
}
