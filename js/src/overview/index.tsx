// widgets/overview.py on the page.
import { useCallback } from "react";
import { PipelineCanvas } from "../canvas/PipelineCanvas";
import { type OverviewCalls, type OverviewTraits, PIPELINE_STEPS } from "../contract.gen";
import { INVALID } from "../health_bar";
import { HealthBar } from "../health_bar/HealthBar";
import { useFollow, widgetHooks } from "../host/bridge";
import { useNavigation } from "../host/navigation";
import { useTheme } from "../host/theme";
import { ProblemNote } from "../ui/ProblemNote";

const { useTrait } = widgetHooks<OverviewTraits, OverviewCalls>();

export function OverviewWidget() {
  useFollow();
  const navigation = useNavigation();
  const state = useTrait("state");
  const report = useTrait("report");
  const activity = useTrait("activity");
  const name = useTrait("name");
  const height = useTrait("height");
  const problem = useTrait("problem");
  const colors = useTheme() === "lab-light" ? "light" : "dark";
  const onOpen = useCallback(
    (step: number) => {
      const dialog = PIPELINE_STEPS.find(({ id }) => id === step)?.dialog;
      if (dialog) navigation.open({ kind: "dialog", name: dialog });
    },
    [navigation],
  );
  const onViewIssues = useCallback(
    () => navigation.open({ kind: "records", preset: INVALID }),
    [navigation],
  );
  if (problem) return <ProblemNote problem={problem} />;
  if (!state || !report) return <div className="rft-canvas rft-skeleton" style={{ height }} />;
  return (
    <div className="rft-overview">
      <HealthBar {...{ report, activity, onViewIssues }} />
      <PipelineCanvas {...{ state, name, height, colors, onOpen }} selected={0} />
    </div>
  );
}
