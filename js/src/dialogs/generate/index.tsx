// widgets/dialogs/generate.py on the page: plan, work, review, and what it changed.
import { type ReactNode, useState } from "react";
import {
  type AcceptOutcome,
  DIALOG_TITLES,
  type GenerateDialogCalls,
  type GenerateDialogTraits,
  type JobState,
} from "../../contract.gen";
import { useFollow, useRevision, widgetHooks } from "../../host/bridge";
import { type Job, useAwaited, useJob } from "../../host/jobs";
import { useAction, useLoaded } from "../../host/loaded";
import { useInOverlay, useNavigation } from "../../host/navigation";
import { Button } from "../../ui/Button";
import { DialogFrame } from "../../ui/DialogFrame";
import { Empty } from "../../ui/Empty";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { Accepted } from "./Accepted";
import { type Asked, Planning } from "./Planning";
import { Reviewing } from "./Reviewing";
import { Running } from "./Running";

const { useTrait, useRpc } = widgetHooks<GenerateDialogTraits, GenerateDialogCalls>();

interface Done {
  readonly outcome: AcceptOutcome;
  /** Balance that the plan expected, with all of it. */
  readonly planned: number | null;
}

export function GenerateDialogWidget() {
  useFollow();
  const rpc = useRpc();
  const node = useTrait("node");
  const gone = useTrait("problem");
  const revision = useRevision();
  const first = useJob("generate");
  const [begun, setBegun] = useState<JobState | null>(null);
  const isAwaited = useAwaited(begun);
  const [done, setDone] = useState<Done | null>(null);
  const options = useLoaded((signal) => rpc.call("load", {}, signal), { revision });
  const open = useLoaded((signal) => rpc.call("open_batch", {}, signal), { revision });
  const start = useAction(async (asked: Asked) => setBegun(await rpc.call("generate", asked)));

  const view = open.value?.view ?? null;
  const again = useJob("regenerate", view?.state.id ?? "");
  const job = newest(first, again);

  const problem = gone ?? options.problem ?? open.problem;
  const retry = () => {
    options.reload();
    open.reload();
  };
  const isElsewhere = view?.state.status === "running" && view.state.job_id === null;
  if (!options.value || !open.value) {
    return (
      <Plain>
        {problem ? <ProblemNote problem={problem} onRetry={retry} /> : <Skeleton lines={9} />}
      </Plain>
    );
  }
  // What was read while candidates came is read again at the end.
  const isEnding = view?.state.status === "running" && open.isLoading;
  if (job.isRunning || isAwaited || isElsewhere || isEnding) {
    return (
      <Plain>
        <Running job={job} view={view} isElsewhere={isElsewhere} />
      </Plain>
    );
  }
  if (done) {
    return <Accepted {...done} left={view?.state.open ?? 0} onReview={() => setDone(null)} />;
  }
  if (view) {
    return (
      <Reviewing
        key={view.state.id}
        view={view}
        job={job}
        onBegun={setBegun}
        onDecided={open.reload}
        onAccepted={(outcome) => setDone({ outcome, planned: view.state.plan.balance_after })}
      />
    );
  }
  if (options.value.topics.length === 0) return <NoTopics reason={node?.blocked_reason ?? null} />;
  return <Planning options={options.value} revision={revision} job={job} start={start} />;
}

/** Of two kinds of work the one that was asked for last. */
function newest(one: Job, other: Job): Job {
  const [a, b] = [one.state?.created_at ?? "", other.state?.created_at ?? ""];
  return Date.parse(b) > Date.parse(a) || a === "" ? other : one;
}

function Plain({ children }: { readonly children: ReactNode }) {
  const { close } = useNavigation();
  const isAbove = useInOverlay();
  return (
    <DialogFrame
      title={DIALOG_TITLES.generate}
      footer={isAbove && <Button onClick={close}>Close</Button>}
    >
      {children}
    </DialogFrame>
  );
}

function NoTopics({ reason }: { readonly reason: string | null }) {
  const { open } = useNavigation();
  return (
    <Plain>
      <Empty
        title={reason ?? "There are no topics yet"}
        action={
          <Button look="main" onClick={() => open({ kind: "dialog", name: "topics" })}>
            Open Topics & Category
          </Button>
        }
      >
        Records are generated for topics; there has to be one.
      </Empty>
    </Plain>
  );
}
