// widgets/health_bar.py on the page.
import { useCallback } from "react";
import type { HealthBarCalls, HealthBarTraits } from "../contract.gen";
import { useFollow, widgetHooks } from "../host/bridge";
import { ProblemNote } from "../ui/ProblemNote";
import { HealthBar } from "./HealthBar";

const { useTrait, useRpc } = widgetHooks<HealthBarTraits, HealthBarCalls>();

export function HealthBarWidget() {
  useFollow();
  const rpc = useRpc();
  const report = useTrait("report");
  const activity = useTrait("activity");
  const problem = useTrait("problem");
  const onViewIssues = useCallback(() => rpc.tell("view_issues", {}), [rpc]);
  if (problem) return <ProblemNote problem={problem} />;
  if (!report) return <div className="rft-health rft-skeleton" />;
  return <HealthBar {...{ report, activity, onViewIssues }} />;
}
