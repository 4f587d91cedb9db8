// widgets/dialogs/records.py on the page.
import { RefreshCw, TableProperties, Upload } from "lucide-react";
import {
  DIALOG_TITLES,
  type RecordsDialogCalls,
  type RecordsDialogTraits,
  type RecordsView,
} from "../../contract.gen";
import { useFollow, useRevision, widgetHooks } from "../../host/bridge";
import { useDownload } from "../../host/download";
import { useJob } from "../../host/jobs";
import { useAction, useLoaded } from "../../host/loaded";
import { useNavigation } from "../../host/navigation";
import { Button } from "../../ui/Button";
import { DialogFrame } from "../../ui/DialogFrame";
import { Empty } from "../../ui/Empty";
import { JobProgress } from "../../ui/JobProgress";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { LineIssues } from "../import_records/LineIssues";
import { Unfinished } from "../import_records/Unfinished";
import { Counts, Origin } from "./Facts";
import { Faults } from "./Faults";
import { Imports } from "./Imports";

const { useTrait, useRpc } = widgetHooks<RecordsDialogTraits, RecordsDialogCalls>();

export function RecordsDialogWidget() {
  useFollow();
  const rpc = useRpc();
  const navigation = useNavigation();
  const loaded = useLoaded((signal) => rpc.call("load", {}, signal), { revision: useRevision() });
  const problem = useTrait("problem") ?? loaded.problem;
  const pulling = useJob("pull_traces");
  const pull = useAction(() => rpc.call("start_pull", {}));
  const view = loaded.value;
  const canPull = view !== null && view.pulled.length > 0;
  const hasRecords = view === null || view.health.total > 0;
  const openImport = () => navigation.open({ kind: "dialog", name: "import-records" });
  return (
    <DialogFrame
      title={DIALOG_TITLES.records}
      subtitle="Where the records came from, and what is wrong with some."
      footer={
        <>
          <Button
            className="rft-left"
            icon={<RefreshCw size={14} aria-hidden />}
            disabled={!canPull}
            isBusy={pull.isBusy || pulling.isRunning}
            onClick={() => void pull.run()}
          >
            Pull New Traces
          </Button>
          <Button
            look={hasRecords ? "plain" : "main"}
            icon={<Upload size={14} aria-hidden />}
            onClick={openImport}
          >
            Import Records
          </Button>
          <Button
            look={hasRecords ? "main" : "plain"}
            icon={<TableProperties size={14} aria-hidden />}
            onClick={() => navigation.open({ kind: "records", preset: {} })}
          >
            Browse Records
          </Button>
        </>
      }
    >
      {problem && <ProblemNote problem={problem} onRetry={loaded.reload} />}
      {pull.problem && <ProblemNote problem={pull.problem} />}
      <JobProgress job={pulling} onRetry={() => void pull.run()} />
      {pulling.state?.status === "succeeded" && (
        <p className="rft-note" role="status">
          {pulling.state.outcome}
        </p>
      )}
      {!view && !problem && <Skeleton lines={8} />}
      {view && <Shown view={view} reload={loaded.reload} openImport={openImport} />}
    </DialogFrame>
  );
}

interface ShownProps {
  readonly view: RecordsView;
  reload(): void;
  openImport(): void;
}

function Shown({ view, reload, openImport }: ShownProps) {
  const rpc = useRpc();
  const navigation = useNavigation();
  const isAtWork = useTrait("node")?.status === "processing";
  const discard = useAction(async (id: string) => {
    await rpc.call("discard_unfinished", { import_id: id });
    reload();
  });
  const unfinished = view.imports.filter((one) => !one.finished);
  const isEmpty = view.health.total === 0 && view.imports.length === 0;
  return (
    <>
      {isAtWork && <AtWork />}
      {!isAtWork && (
        <Unfinished
          imports={unfinished}
          isBusy={discard.isBusy}
          onResume={openImport}
          onDiscard={discard.run}
        />
      )}
      {discard.problem && <ProblemNote problem={discard.problem} />}
      {isEmpty ? (
        <Empty title="No records yet">
          Import a file, or add traces in Python: ds.add_traces(rft.open_traces("spans.jsonl"))
        </Empty>
      ) : (
        <>
          <Counts view={view} />
          <Origin view={view} />
          {view.pulled.length === 0 && (
            <p className="rft-note">
              New traces cannot be pulled: no record came from a trace file, a vLLora store or a
              gateway that can be read again. ds.add_traces(rft.open_traces(...)) adds one.
            </p>
          )}
          <Faults
            faults={view.faults}
            total={view.health.total}
            onFault={({ code, words }) =>
              navigation.open({ kind: "records", preset: { where: { code }, badge: words } })
            }
          />
          <Imports
            imports={view.imports}
            total={view.import_count}
            renderErrors={(id) => <ImportErrors id={id} />}
          />
        </>
      )}
    </>
  );
}

function AtWork() {
  const node = useTrait("node");
  return (
    <p className="rft-note" role="status">
      {node?.summary}
    </p>
  );
}

function ImportErrors({ id }: { readonly id: string }) {
  const rpc = useRpc();
  const issues = useLoaded((signal) => rpc.call("load_issues", { import_id: id }, signal), {
    revision: 0,
    subject: id,
  });
  const download = useDownload();
  if (issues.problem) return <ProblemNote problem={issues.problem} onRetry={issues.reload} />;
  if (!issues.value) return <Skeleton lines={3} />;
  return (
    <>
      <LineIssues
        issues={issues.value}
        isBusy={download.progress !== null}
        onDownload={(file_format) =>
          void download.start((signal) =>
            rpc.call("download_issues", { import_id: id, file_format }, signal),
          )
        }
      />
      {download.problem && <ProblemNote problem={download.problem} />}
    </>
  );
}
