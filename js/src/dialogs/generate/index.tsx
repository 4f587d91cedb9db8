// widgets/dialogs/generate.py on the page.
import { useState } from "react";
import {
  DIALOG_TITLES,
  type GenerateDialogCalls,
  type GenerateDialogTraits,
  type GenerateOptions,
  type GenerationConfig,
} from "../../contract.gen";
import { useFollow, useRevision, widgetHooks } from "../../host/bridge";
import { useLoaded } from "../../host/loaded";
import { useInOverlay, useNavigation, useSelection } from "../../host/navigation";
import { Button } from "../../ui/Button";
import { DialogFrame } from "../../ui/DialogFrame";
import { Empty } from "../../ui/Empty";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { useSettled } from "../../ui/useSettled";
import { Plan } from "./Plan";
import { Settings } from "./Settings";

const { useTrait, useRpc } = widgetHooks<GenerateDialogTraits, GenerateDialogCalls>();

export function GenerateDialogWidget() {
  useFollow();
  const rpc = useRpc();
  const { open, close } = useNavigation();
  const isAbove = useInOverlay();
  const node = useTrait("node");
  const revision = useRevision();
  const options = useLoaded((signal) => rpc.call("load", {}, signal), { revision });
  const problem = useTrait("problem") ?? options.problem;
  const missing = options.value?.missing ?? null;
  return (
    <DialogFrame
      title={DIALOG_TITLES.generate}
      subtitle="Plan synthetic records for the topics that have too few."
      footer={
        <>
          {missing && (
            <span className="rft-left rft-note" id="rft-generate-missing">
              {missing}
            </span>
          )}
          {isAbove && <Button onClick={close}>Close</Button>}
          <Button
            look="main"
            disabled={missing !== null || !options.value}
            aria-describedby={missing ? "rft-generate-missing" : undefined}
          >
            Generate
          </Button>
        </>
      }
    >
      {problem && <ProblemNote problem={problem} onRetry={options.reload} />}
      {!options.value && !problem && <Skeleton lines={9} />}
      {options.value?.topics.length === 0 && (
        <Empty
          title={node?.blocked_reason ?? "There are no topics yet"}
          action={
            <Button look="main" onClick={() => open({ kind: "dialog", name: "topics" })}>
              Open Topics & Category
            </Button>
          }
        >
          Records are generated for topics; there has to be one.
        </Empty>
      )}
      {options.value && options.value.topics.length > 0 && (
        <Planning options={options.value} revision={revision} />
      )}
    </DialogFrame>
  );
}

const PAUSE_MS = 250;

interface PlanningProps {
  readonly options: GenerateOptions;
  readonly revision: number;
}

function Planning({ options, revision }: PlanningProps) {
  const rpc = useRpc();
  const selection = useSelection();
  const [config, setConfig] = useState<GenerationConfig>(() =>
    selection ? { ...options.config, source: "selected", selection } : options.config,
  );
  const asked = useSettled(config, PAUSE_MS);
  const plan = useLoaded((signal) => rpc.call("plan", { config: asked.value }, signal), {
    revision: revision + asked.turn, // both only grow
  });
  return (
    <div className="rft-generate">
      <Settings
        config={config}
        options={options}
        hasSelection={selection !== null}
        onChange={setConfig}
      />
      <section aria-label="Plan" aria-busy={plan.isLoading}>
        <h3 className="rft-section-title">Plan</h3>
        {plan.problem && <ProblemNote problem={plan.problem} onRetry={plan.reload} />}
        {!plan.value && !plan.problem && <Skeleton lines={6} />}
        {plan.value && !plan.problem && (
          <Plan plan={plan.value} config={asked.value} strategies={options.strategies} />
        )}
      </section>
    </div>
  );
}
