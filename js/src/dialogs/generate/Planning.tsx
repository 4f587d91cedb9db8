// Before anything is spent: what to generate, who is asked, and what it would come to.
import { Sparkles } from "lucide-react";
import { useState } from "react";
import {
  DIALOG_TITLES,
  type GenerateDialogCalls,
  type GenerateDialogTraits,
  type GenerateOptions,
  type GenerationConfig,
  type GenerationPlan,
} from "../../contract.gen";
import { widgetHooks } from "../../host/bridge";
import type { Job } from "../../host/jobs";
import { type Action, useLoaded } from "../../host/loaded";
import { useModels } from "../../host/models";
import { useInOverlay, useNavigation, useSelection } from "../../host/navigation";
import { Button } from "../../ui/Button";
import { CapField } from "../../ui/CapField";
import { DialogFrame } from "../../ui/DialogFrame";
import { JobProgress } from "../../ui/JobProgress";
import { ModelSelect } from "../../ui/ModelSelect";
import { counted } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { useSettled } from "../../ui/useSettled";
import { Plan } from "./Plan";
import { Settings } from "./Settings";

const { useRpc } = widgetHooks<GenerateDialogTraits, GenerateDialogCalls>();

const PAUSE_MS = 250;

/** What is generated, by whom, and for how much at most. */
export interface Asked {
  readonly config: GenerationConfig;
  readonly model: string;
  readonly max_cost_usd: number | null;
}

interface Props {
  readonly options: GenerateOptions;
  readonly revision: number;
  readonly job: Job;
  readonly start: Action<[Asked]>;
}

export function Planning({ options, revision, job, start }: Props) {
  const rpc = useRpc();
  const { close } = useNavigation();
  const isAbove = useInOverlay();
  const selection = useSelection();
  const models = useModels();
  const [config, setConfig] = useState<GenerationConfig>(() =>
    selection ? { ...options.config, source: "selected", selection } : options.config,
  );
  const [chosen, setModel] = useState<string | null>(null);
  const only = models.value?.length === 1 ? (models.value[0]?.name ?? null) : null;
  const model = chosen ?? only;
  const [max_cost_usd, setCap] = useState<number | null>(null);
  const asked = useSettled(config, PAUSE_MS);
  const plan = useLoaded((signal) => rpc.call("plan", { config: asked.value, model }, signal), {
    revision: revision + asked.turn, // both only grow
    subject: model ?? "",
  });
  const isChain = config.strategy === "tool_chain";
  const tools = useLoaded(
    (signal) => (isChain ? rpc.call("tools", {}, signal) : Promise.resolve(null)),
    { revision: 0, subject: String(isChain) },
  );
  const isOld = plan.isLoading || !Object.is(asked.value, config);
  const missing = missingWords(plan.value, model, models.value?.length);
  return (
    <DialogFrame
      title={DIALOG_TITLES.generate}
      subtitle="A model writes records for topics that have too few; you decide which are kept."
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
            icon={<Sparkles size={14} aria-hidden />}
            isBusy={start.isBusy}
            disabled={missing !== "" || isOld || plan.problem !== null}
            aria-describedby={missing ? "rft-generate-missing" : undefined}
            onClick={() => model && void start.run({ config, model, max_cost_usd })}
          >
            {plan.value && plan.value.total > 0
              ? `Generate ${counted(plan.value.total, "Record")}`
              : "Generate"}
          </Button>
        </>
      }
    >
      {start.problem && <ProblemNote problem={start.problem} />}
      {job.state?.status === "failed" && <JobProgress job={job} />}
      <div className="rft-generate">
        <Settings
          config={config}
          options={options}
          hasSelection={selection !== null}
          tools={tools}
          onChange={setConfig}
          asking={
            <>
              {models.problem && <ProblemNote problem={models.problem} onRetry={models.reload} />}
              <ModelSelect label="Model" value={model} choices={models.value} onChange={setModel} />
              <CapField value={max_cost_usd} onChange={setCap} />
            </>
          }
        />
        <section aria-label="Plan" aria-busy={plan.isLoading}>
          <h3 className="rft-section-title">Plan</h3>
          {plan.problem && <ProblemNote problem={plan.problem} onRetry={plan.reload} />}
          {!plan.value && !plan.problem && <Skeleton lines={6} />}
          {plan.value && !plan.problem && (
            <Plan plan={plan.value} strategies={options.strategies} />
          )}
        </section>
      </div>
    </DialogFrame>
  );
}

/** Why nothing can be generated; empty when it can. */
function missingWords(
  plan: GenerationPlan | null,
  model: string | null,
  models: number | undefined,
): string {
  if (models === 0) return "Generating asks a language model: add a connection to one first.";
  if (model === null) return "Choose the model that is asked.";
  return plan?.total === 0 ? "There is nothing to generate." : "";
}
