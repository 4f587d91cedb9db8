// widgets/dialogs/deploy.py on the page.
import { useEffect, useState } from "react";
import {
  type DeployDialogCalls,
  type DeployDialogTraits,
  type DeploymentView,
  type DeployOverview,
  DIALOG_TITLES,
  type TrainedModel,
} from "../../contract.gen";
import { useFollow, useRevision, widgetHooks } from "../../host/bridge";
import { isAtWork, useJob } from "../../host/jobs";
import { useAction, useLoaded } from "../../host/loaded";
import { useInOverlay, useNavigation, useRun } from "../../host/navigation";
import { Button } from "../../ui/Button";
import { DialogFrame } from "../../ui/DialogFrame";
import { Empty } from "../../ui/Empty";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { Tabs } from "../../ui/Tabs";
import { Endpoint } from "./Endpoint";
import { FIRST_CHOICE, type ModeChoice, ModeForm } from "./ModeForm";
import { ModelChoice } from "./ModelChoice";
import { Playground } from "./Playground";

const { useTrait, useRpc } = widgetHooks<DeployDialogTraits, DeployDialogCalls>();

const TITLE = DIALOG_TITLES.deploy;
const EVERY_MS = 2_000;

type Tab = "new" | "playground" | "endpoints";

export function DeployDialogWidget() {
  useFollow();
  const rpc = useRpc();
  const node = useTrait("node");
  const revision = useRevision();
  const jobs = useTrait("jobs");
  const [tick, setTick] = useState(0);
  // What was measured is there when the work on it has ended.
  const ended = jobs.filter((job) => !isAtWork(job)).length;
  const loaded = useLoaded((signal) => rpc.call("load", {}, signal), {
    revision: revision + tick + ended,
  });
  const isServed = loaded.value?.deployments.some((one) => one.served !== "not_served") ?? false;
  // Traffic is counted in the store, and a worker may be killed, without a change of the dataset.
  useEffect(() => {
    if (!isServed) return;
    const timer = setInterval(() => setTick((before) => before + 1), EVERY_MS);
    return () => clearInterval(timer);
  }, [isServed]);
  const overview = loaded.value;
  if (!overview) {
    return (
      <DialogFrame title={TITLE}>
        {loaded.problem ? (
          <ProblemNote problem={loaded.problem} onRetry={loaded.reload} />
        ) : (
          <Skeleton lines={8} />
        )}
      </DialogFrame>
    );
  }
  return (
    <Deploy
      overview={overview}
      blocked={node?.blocked_reason ?? (overview.models.length ? null : "Complete training first")}
      onChanged={loaded.reload}
    />
  );
}

interface Props {
  readonly overview: DeployOverview;
  readonly blocked: string | null;
  onChanged(): void;
}

function Deploy({ overview, blocked, onChanged }: Props) {
  const rpc = useRpc();
  const navigation = useNavigation();
  const isAbove = useInOverlay();
  const { models, deployments, model_name } = overview;
  const hasActive = deployments.some((one) => one.status === "active");
  const [tab, setTab] = useState<Tab>(blocked === null && !hasActive ? "new" : "endpoints");
  const [job, setJob] = useState<string | null>(useRun());
  const [step, setStep] = useState<number | null>(null);
  const [choice, setChoice] = useState<ModeChoice>(FIRST_CHOICE);
  const model = models.find((one) => one.job === job) ?? models[0];
  const checkpoint = step ?? model?.served_step ?? 0;
  const deploy = useAction(async (of: string) => {
    await rpc.call("deploy", { job: of, checkpoint, ...choice });
    setTab("endpoints");
    onChanged();
  });
  const measured = useJob("benchmark", model?.job);
  const measure = useAction((of: string) => rpc.call("measure", { job: of, checkpoint }));
  const toTraining = () => {
    const place = { kind: "dialog", name: "training" } as const;
    if (isAbove) navigation.replace(place);
    else navigation.open(place);
  };
  const endpoints = (
    <div className="rft-deploy-endpoints">
      {deployments.length === 0 && (
        <Empty title="Nothing is deployed yet">
          A deployment answers on this machine, in the way of the OpenAI protocol.
        </Empty>
      )}
      {deployments.map((one) => (
        <EndpointOf
          key={one.id}
          deployment={one}
          model={models.find((model) => model.job === one.job) ?? null}
          onChanged={onChanged}
        />
      ))}
    </div>
  );
  if (blocked !== null || !model) {
    return (
      <DialogFrame title={TITLE}>
        <Empty
          title={blocked ?? "Complete training first"}
          action={<Button onClick={toTraining}>Open Train Model</Button>}
        >
          There is no trained model to deploy.
        </Empty>
        {deployments.length > 0 && endpoints}
      </DialogFrame>
    );
  }
  const isNew = tab === "new";
  return (
    <DialogFrame
      title={TITLE}
      subtitle="Serve the trained model on this machine, and see what it is worth."
      footer={
        isNew ? (
          <Button
            look="main"
            isBusy={deploy.isBusy}
            disabled={model.problem !== ""}
            onClick={() => void deploy.run(model.job)}
          >
            Deploy
          </Button>
        ) : (
          <Button onClick={() => setTab("new")}>New Deployment</Button>
        )
      }
    >
      <Tabs<Tab>
        label="Deploy"
        value={tab}
        onChange={setTab}
        tabs={[
          {
            value: "new",
            title: "Model & Mode",
            body: (
              <div className="rft-deploy-new">
                {deploy.problem && <ProblemNote problem={deploy.problem} />}
                <ModelChoice
                  models={models}
                  model={model}
                  checkpoint={checkpoint}
                  measured={measured}
                  measure={measure}
                  onModel={(of) => {
                    setJob(of);
                    setStep(null);
                  }}
                  onCheckpoint={setStep}
                />
                <ModeForm choice={choice} modelName={model_name} onChange={setChoice} />
              </div>
            ),
          },
          {
            value: "playground",
            title: "Playground",
            body: (
              <PlaygroundOf
                key={`${model.job} ${checkpoint}`}
                job={model.job}
                checkpoint={checkpoint}
              />
            ),
          },
          {
            value: "endpoints",
            title: deployments.length ? `Endpoints (${deployments.length})` : "Endpoints",
            body: endpoints,
          },
        ]}
      />
    </DialogFrame>
  );
}

interface EndpointOfProps {
  readonly deployment: DeploymentView;
  readonly model: TrainedModel | null;
  onChanged(): void;
}

function EndpointOf({ deployment, model, onChanged }: EndpointOfProps) {
  const rpc = useRpc();
  const key = { deployment: deployment.id };
  const measured = useJob("outcome", deployment.id);
  const command = useAction(async (name: "start" | "stop" | "roll_back" | "measure_outcome") => {
    await rpc.call(name, key);
    onChanged();
  });
  return (
    <Endpoint
      deployment={deployment}
      trained={model}
      command={command}
      measured={measured}
      onReveal={() => rpc.call("reveal", key)}
    />
  );
}

interface PlaygroundOfProps {
  readonly job: string;
  readonly checkpoint: number;
}

function PlaygroundOf({ job, checkpoint }: PlaygroundOfProps) {
  const rpc = useRpc();
  const prompts = useLoaded((signal) => rpc.call("prompts", { job }, signal), { revision: 0 });
  return (
    <Playground
      prompts={prompts}
      onText={(text) => rpc.call("play", { job, text, checkpoint })}
      onRecord={(record) => rpc.call("play_record", { job, record, checkpoint })}
    />
  );
}
