// widgets/health_bar.py on the page.
import { useCallback } from "react";
import type { HealthBarCalls, HealthBarTraits, RecordsPreset } from "../contract.gen";
import { useFollow, widgetHooks } from "../host/bridge";
import { useNavigation } from "../host/navigation";
import { ProblemNote } from "../ui/ProblemNote";
import { HealthBar } from "./HealthBar";

const { useTrait, useRpc } = widgetHooks<HealthBarTraits, HealthBarCalls>();

export const INVALID: RecordsPreset = { where: { valid: false }, badge: "Invalid records" };

export function HealthBarWidget() {
  useFollow();
  const rpc = useRpc();
  const report = useTrait("report");
  const activity = useTrait("activity");
  const problem = useTrait("problem");
  const navigation = useNavigation();
  const onViewIssues = useCallback(() => {
    navigation.open({ kind: "records", preset: INVALID });
    rpc.tell("view_issues", {});
  }, [rpc, navigation]);
  const onViewImports = useCallback(
    () => navigation.open({ kind: "dialog", name: "records" }),
    [navigation],
  );
  if (problem) return <ProblemNote problem={problem} />;
  if (!report) return <div className="rft-health rft-skeleton" />;
  return <HealthBar {...{ report, activity, onViewIssues, onViewImports }} />;
}
