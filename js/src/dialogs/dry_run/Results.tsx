// A finished dry run, and what to do with it.
import { Download, RotateCcw } from "lucide-react";
import { useState } from "react";
import {
  DIALOG_TITLES,
  type DryRunDialogCalls,
  type DryRunDialogTraits,
  type DryRunView,
  type Problem,
  type RecordsPreset,
  type ShownRun,
} from "../../contract.gen";
import { widgetHooks } from "../../host/bridge";
import type { Job } from "../../host/jobs";
import { type Action, useLoaded } from "../../host/loaded";
import { useNavigation } from "../../host/navigation";
import { Button, IconButton } from "../../ui/Button";
import { DialogFrame } from "../../ui/DialogFrame";
import { JobProgress } from "../../ui/JobProgress";
import { counted } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Tabs } from "../../ui/Tabs";
import { ago, exact } from "../../ui/time";
import { Checks } from "./Checks";
import { CutOff } from "./CutOff";
import { Next } from "./Next";
import { Runs } from "./Runs";
import { Samples } from "./Samples";
import { Scores } from "./Scores";
import { VerdictBanner } from "./Verdict";

const { useRpc } = widgetHooks<DryRunDialogTraits, DryRunDialogCalls>();

type Tab = "scores" | "checks" | "samples" | "runs";

interface Props {
  readonly view: DryRunView;
  readonly run: ShownRun;
  readonly job: Job;
  readonly problem: Problem | null;
  readonly resume: Action<[number | null]>;
  onShow(run: string | null): void;
  onRerun(): void;
  onDownload(run: string): void;
}

export function Results({ view, run, job, problem, resume, onShow, onRerun, onDownload }: Props) {
  const { open } = useNavigation();
  const [tab, setTab] = useState<Tab>("scores");
  const onRecords = (preset: RecordsPreset) => open({ kind: "records", preset });
  const isLatest = view.runs.find((one) => one.verdict !== null)?.id === run.id;
  const { report, config } = run;
  return (
    <DialogFrame
      title={DIALOG_TITLES["dry-run"]}
      subtitle={
        <span title={exact(run.started_at)}>
          {`${ago(run.started_at)} · ${counted(report.answers, "answer")} ` +
            `(n ${config.n}, k ${config.k}, seed ${config.seed}) · ` +
            `grader version ${run.grader_version}`}
        </span>
      }
      aside={
        <IconButton label="Download the report (JSON)" onClick={() => onDownload(run.id)}>
          <Download size={16} aria-hidden />
        </IconButton>
      }
      footer={
        isLatest ? (
          <Next run={run} onRecords={onRecords} onRerun={onRerun} />
        ) : (
          <Button onClick={() => onShow(null)}>Show the newest run</Button>
        )
      }
    >
      {problem && <ProblemNote problem={problem} />}
      {job.state?.status === "failed" && <JobProgress job={job} />}
      {view.cut_off && <CutOff run={view.cut_off} resume={resume} />}
      {run.changes.length > 0 && (
        <section className="rft-dry-note" aria-label="Stale">
          <p>
            <strong>Stale.</strong> {run.changes.join(" ")}
          </p>
          {isLatest && (
            <Button icon={<RotateCcw size={14} aria-hidden />} onClick={onRerun}>
              Re-run
            </Button>
          )}
        </section>
      )}
      <VerdictBanner report={report} />
      {run.answered && <p className="rft-note">{run.answered}</p>}
      <Tabs<Tab>
        label="Parts of the report"
        value={tab}
        onChange={setTab}
        tabs={[
          { value: "scores", title: "Scores", body: <Scores run={run} onRecords={onRecords} /> },
          { value: "checks", title: "Checks & probes", body: <Checks report={report} /> },
          { value: "samples", title: "Samples", body: <Samples report={report} /> },
          {
            value: "runs",
            title: `Runs (${view.runs.length})`,
            body: <History view={view} run={run} onShow={onShow} />,
          },
        ]}
      />
      <p className="rft-note rft-dry-python">
        In Python: <code>{run.call}</code>; as a picture <code>{`${run.call}.plot()`}</code>
      </p>
    </DialogFrame>
  );
}

interface HistoryProps {
  readonly view: DryRunView;
  readonly run: ShownRun;
  onShow(run: string | null): void;
}

function History({ view, run, onShow }: HistoryProps) {
  const [other, setOther] = useState<string | null>(null);
  const before = view.runs.some((one) => one.id === other) && other !== run.id ? other : null;
  const rpc = useRpc();
  const compared = useLoaded(
    async (signal) =>
      before === null ? null : rpc.call("compare", { before, after: run.id }, signal),
    { revision: 0, subject: `${before}/${run.id}` },
  );
  return (
    <Runs
      runs={view.runs}
      shown={run.id}
      compared={{ with: before, value: compared.value, problem: compared.problem }}
      onShow={onShow}
      onCompare={setOther}
      onRetry={compared.reload}
    />
  );
}
