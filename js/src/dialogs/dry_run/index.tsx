// widgets/dialogs/dry_run.py on the page.
import { useEffect, useRef, useState } from "react";
import {
  DIALOG_TITLES,
  type DryRunDialogCalls,
  type DryRunDialogTraits,
  type JobState,
} from "../../contract.gen";
import { useFollow, useRevision, widgetHooks } from "../../host/bridge";
import { save } from "../../host/download";
import { useAwaited, useJob } from "../../host/jobs";
import { useAction, useLoaded } from "../../host/loaded";
import { useModels } from "../../host/models";
import { useNavigation } from "../../host/navigation";
import { Button } from "../../ui/Button";
import { DialogFrame } from "../../ui/DialogFrame";
import { Empty } from "../../ui/Empty";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { Idle } from "./Idle";
import { Results } from "./Results";
import { Running } from "./Running";
import { DEFAULTS, type Options, optionsOf, paramsOf } from "./Setup";

const { useTrait, useRpc } = widgetHooks<DryRunDialogTraits, DryRunDialogCalls>();

export function DryRunDialogWidget() {
  useFollow();
  const node = useTrait("node");
  const gone = useTrait("problem");
  const rpc = useRpc();
  const revision = useRevision();
  const navigation = useNavigation();
  const job = useJob("dry_run");
  const models = useModels();
  const [chosen, setChosen] = useState<string | null>(null);
  const [options, setOptions] = useState<Options>(DEFAULTS);
  const [isSettingUp, setSettingUp] = useState(false);

  // The page learns of its own job a moment after the call that began it.
  const [begun, setBegun] = useState<JobState | null>(null);
  const isAwaited = useAwaited(begun);
  const isRunning = isAwaited || job.isRunning || node?.status === "processing";

  // While a run is under way only its scores are read; what is shown afterwards is read at its end.
  const rest = useRef(revision);
  if (!isRunning) rest.current = revision;
  const loaded = useLoaded(
    async (signal) => {
      const read = rest.current;
      return { read, view: await rpc.call("load", { run: chosen }, signal) };
    },
    { revision: rest.current, subject: chosen ?? "" },
  );
  const ended = useRef(-1);
  if (isRunning) ended.current = Number.POSITIVE_INFINITY;
  else if (ended.current === Number.POSITIVE_INFINITY) ended.current = revision;
  const isOld = loaded.value !== null && loaded.value.read < ended.current && !loaded.problem;

  const begin = async (start: Promise<JobState>) => {
    setBegun(await start);
    setSettingUp(false);
    setChosen(null);
  };
  const start = useAction(() => begin(rpc.call("start", paramsOf(options))));
  const resume = useAction((max_cost_usd: number | null) =>
    begin(rpc.call("resume", { max_cost_usd })),
  );
  const download = useAction(async (run: string) => {
    const text = await rpc.call("report_json", { run });
    save(new Blob([text], { type: "application/json" }), `${run}.json`);
  });

  const title = DIALOG_TITLES["dry-run"];
  if (gone) {
    return (
      <DialogFrame title={title}>
        <ProblemNote problem={gone} />
      </DialogFrame>
    );
  }
  if (isRunning || isOld) {
    return (
      <DialogFrame title={title}>
        <Live job={job} revision={revision} />
      </DialogFrame>
    );
  }
  const view = loaded.value?.view;
  if (!view) {
    return (
      <DialogFrame title={title}>
        {loaded.problem ? (
          <ProblemNote problem={loaded.problem} onRetry={loaded.reload} />
        ) : (
          <Skeleton lines={10} />
        )}
      </DialogFrame>
    );
  }
  const name = view.blocked_by;
  if (name) {
    return (
      <DialogFrame title={title}>
        <Empty
          title={node?.blocked_reason ?? ""}
          action={
            <Button look="main" onClick={() => navigation.replace({ kind: "dialog", name })}>
              {`Open ${DIALOG_TITLES[name]}`}
            </Button>
          }
        >
          A dry run grades a sample of the answers, and says whether training could learn from them.
        </Empty>
      </DialogFrame>
    );
  }
  if (isSettingUp || !view.shown) {
    return (
      <Idle
        view={view}
        job={job}
        models={models}
        options={options}
        revision={revision}
        start={start}
        resume={resume}
        onOptions={setOptions}
        {...(view.shown ? { onCancel: () => setSettingUp(false) } : {})}
      />
    );
  }
  return (
    <Results
      view={view}
      run={view.shown}
      job={job}
      problem={loaded.problem ?? download.problem}
      resume={resume}
      onShow={setChosen}
      onRerun={() => {
        if (view.shown) setOptions({ ...options, ...optionsOf(view.shown.config) });
        setSettingUp(true);
      }}
      onDownload={download.run}
    />
  );
}

interface LiveProps {
  readonly job: ReturnType<typeof useJob>;
  readonly revision: number;
}

function Live({ job, revision }: LiveProps) {
  const rpc = useRpc();
  const node = useTrait("node");
  const scores = useLoaded((signal) => rpc.call("so_far", {}, signal), { revision });
  const last = useRef(scores.value);
  // Between the last answer and the report there is no run under way: its scores stand meanwhile.
  useEffect(() => {
    if (scores.value) last.current = scores.value;
  }, [scores.value]);
  return <Running job={job} node={node} scores={scores.value ?? last.current} />;
}
