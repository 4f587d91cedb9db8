// widgets/dialogs/training.py on the page.
import { type ReactNode, useEffect, useState } from "react";
import {
  DIALOG_TITLES,
  type TrainingConfig,
  type TrainingDialogCalls,
  type TrainingDialogTraits,
  type TrainingSetup,
} from "../../contract.gen";
import { useFollow, useRevision, widgetHooks } from "../../host/bridge";
import { useAction, useLoaded } from "../../host/loaded";
import { useModels } from "../../host/models";
import { useInOverlay, useNavigation } from "../../host/navigation";
import { DialogFrame } from "../../ui/DialogFrame";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { useSettled } from "../../ui/useSettled";
import { History } from "./History";
import { isAtWork } from "./outcome";
import { RunView } from "./RunView";
import { SetupView } from "./SetupView";

const { useTrait, useRpc } = widgetHooks<TrainingDialogTraits, TrainingDialogCalls>();

const TITLE = DIALOG_TITLES.training;
const NEW = "new";
const EVERY_MS = 1_000;
const PAUSE_MS = 250; // between two keys of what is typed

export function TrainingDialogWidget() {
  useFollow();
  const rpc = useRpc();
  const node = useTrait("node");
  const revision = useRevision();
  // A run at work changes the dataset several times a second, and nothing of what is asked here.
  const key = node?.status === "processing" ? -1 : revision;
  const loaded = useLoaded((signal) => rpc.call("load", {}, signal), { revision: key });
  const [place, setPlace] = useState<string | null>(null);
  const setup = loaded.value;
  if (!setup) {
    return (
      <DialogFrame title={TITLE}>
        {loaded.problem ? (
          <ProblemNote problem={loaded.problem} onRetry={loaded.reload} />
        ) : (
          <Skeleton lines={9} />
        )}
      </DialogFrame>
    );
  }
  const newest = setup.runs[0];
  const shown = place ?? (newest && newest.status !== "cancelled" ? newest.id : NEW);
  const onStarted = (id: string) => {
    setPlace(id);
    loaded.reload();
  };
  const { runs, trainers } = setup;
  const history = <History {...{ runs, trainers, shown }} onShow={setPlace} />;
  return (
    <>
      {shown === NEW ? (
        <Setup setup={setup} revision={key} onStarted={onStarted} onShow={setPlace}>
          {history}
        </Setup>
      ) : (
        <Run
          key={shown}
          id={shown}
          setup={setup}
          onStarted={onStarted}
          onNew={() => setPlace(NEW)}
          onChanged={loaded.reload}
        >
          {history}
        </Run>
      )}
    </>
  );
}

interface SetupProps {
  readonly setup: TrainingSetup;
  readonly revision: number;
  readonly children: ReactNode;
  onStarted(id: string): void;
  onShow(id: string): void;
}

function Setup({ setup, revision, onStarted, onShow, children }: SetupProps) {
  const rpc = useRpc();
  const navigation = useNavigation();
  const [config, setConfig] = useState<TrainingConfig>(setup.config);
  const settled = useSettled(config, PAUSE_MS);
  const models = useModels();
  const isBlocked = setup.readiness.blocked !== null;
  const plan = useLoaded(
    async (signal) =>
      isBlocked ? null : await rpc.call("plan", { config: settled.value }, signal),
    { revision: revision * 100_000 + settled.turn },
  );
  const start = useAction(async (despite_no_go: boolean) =>
    onStarted(await rpc.call("train", { config, despite_no_go })),
  );
  return (
    <SetupView
      title={TITLE}
      setup={setup}
      config={config}
      plan={plan}
      start={start}
      connections={models.value}
      onConfig={setConfig}
      onShowRun={onShow}
      onOpen={(name) => navigation.open({ kind: "dialog", name })}
    >
      {children}
    </SetupView>
  );
}

interface RunProps {
  readonly id: string;
  readonly setup: TrainingSetup;
  readonly children: ReactNode;
  onStarted(id: string): void;
  onNew(): void;
  onChanged(): void;
}

function Run({ id, setup, onStarted, onNew, onChanged, children }: RunProps) {
  const rpc = useRpc();
  const navigation = useNavigation();
  const isAbove = useInOverlay();
  const revision = useRevision();
  const [tick, setTick] = useState(0);
  const loaded = useLoaded((signal) => rpc.call("load_run", { job: id }, signal), {
    revision: revision + tick,
  });
  const isRunning = loaded.value !== null && isAtWork(loaded.value.run);
  // Its log grows and its worker may be killed without a change of the dataset.
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => setTick((before) => before + 1), EVERY_MS);
    return () => clearInterval(timer);
  }, [isRunning]);
  const command = useAction(async (name: "pause" | "resume" | "cancel") => {
    await rpc.call(name, { job: id });
    loaded.reload();
    onChanged();
  });
  const again = useAction(async (config: TrainingConfig) =>
    onStarted(await rpc.call("train", { config, despite_no_go: false })),
  );
  const choose = useAction(async (step: number | null) => {
    await rpc.call("choose_checkpoint", { job: id, step });
    loaded.reload();
  });
  const trainer = setup.trainers.find((one) => one.name === loaded.value?.config.trainer) ?? null;
  return (
    <RunView
      title={TITLE}
      trainer={trainer}
      loaded={loaded}
      command={command}
      again={again}
      choose={choose}
      onNew={onNew}
      onDeploy={() => {
        const place = { kind: "dialog", name: "deploy", run: id } as const;
        if (isAbove) navigation.replace(place);
        else navigation.open(place);
      }}
    >
      {children}
    </RunView>
  );
}
