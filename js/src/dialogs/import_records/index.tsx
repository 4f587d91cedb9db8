// widgets/dialogs/import_records.py on the page.
import { useState } from "react";
import {
  DIALOG_TITLES,
  type ImportRecordsDialogCalls,
  type ImportRecordsDialogTraits,
  type ImportView,
} from "../../contract.gen";
import { useFollow, useRevision, widgetHooks } from "../../host/bridge";
import { useJob } from "../../host/jobs";
import { useAction, useLoaded } from "../../host/loaded";
import { Confirm } from "../../ui/Confirm";
import { DialogFrame } from "../../ui/DialogFrame";
import { DropZone } from "../../ui/DropZone";
import { JobProgress } from "../../ui/JobProgress";
import { counted } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { CheckedButtons, DoneButtons } from "./buttons";
import { FaultList } from "./FaultList";
import { Faults, FileCard, Preview } from "./FileCard";
import { FormatGuide } from "./FormatGuide";
import { ImportForm, type Mode } from "./ImportForm";
import { Result } from "./Result";
import { SendingNote } from "./SendingNote";
import { Unfinished } from "./Unfinished";
import { type Uploading, useUpload } from "./upload";

const { useTrait, useRpc } = widgetHooks<ImportRecordsDialogTraits, ImportRecordsDialogCalls>();
const ACCEPTED = ".jsonl,.json,.gz";

export function ImportRecordsDialogWidget() {
  useFollow();
  const rpc = useRpc();
  const loaded = useLoaded((signal) => rpc.call("load", {}, signal), { revision: useRevision() });
  const problem = useTrait("problem") ?? loaded.problem;
  if (!loaded.value) {
    return (
      <DialogFrame title={DIALOG_TITLES["import-records"]}>
        {problem ? (
          <ProblemNote problem={problem} onRetry={loaded.reload} />
        ) : (
          <Skeleton lines={6} />
        )}
      </DialogFrame>
    );
  }
  return <ImportRecords view={loaded.value} reload={loaded.reload} />;
}

interface Props {
  readonly view: ImportView;
  reload(): void;
}

function ImportRecords({ view, reload }: Props) {
  const rpc = useRpc();
  const uploading = useUpload(rpc, view.piece_bytes);
  const checking = useJob("check_file");
  const importing = useJob("import_records");
  const [mode, setMode] = useState<Mode>("append");
  const [asked, setAsked] = useState(false);
  const [started, setStarted] = useState<string | null>(null);
  const begin = useAction(async (chosen: Mode, resume: boolean) => {
    setStarted((await rpc.call("start_import", { mode: chosen, resume })).id);
    reload();
  });
  const again = useAction(async () => {
    setMode("append");
    await rpc.call("reset", {});
    reload();
  });
  const { check, upload, result } = view;
  const isAtWork = importing.isRunning || checking.isRunning || uploading.sending !== null;
  const wanted = (chosen: Mode) => {
    if (chosen === "replace" && view.records > 0) setAsked(true);
    else void begin.run(chosen, false);
  };
  const stage = stageOf(view, isAtWork);
  return (
    <DialogFrame
      title={DIALOG_TITLES["import-records"]}
      subtitle="From a file on your computer, checked line by line."
      footer={
        stage === "checked" && check ? (
          <CheckedButtons
            {...{ view, mode, isBusy: begin.isBusy }}
            onAgain={again.run}
            onImport={() => wanted(mode)}
            onResume={(chosen) => begin.run(chosen, true)}
          />
        ) : stage === "done" ? (
          <DoneButtons onAgain={again.run} />
        ) : undefined
      }
    >
      <div className="rft-import">
        {begin.problem && <ProblemNote problem={begin.problem} />}
        {(importing.isRunning || (importing.state?.id === started && !result)) && (
          <JobProgress job={importing} />
        )}
        {checking.isRunning && <JobProgress job={checking} />}
        {uploading.sending && <SendingNote {...uploading.sending} onStop={uploading.stop} />}
        {stage === "empty" && <Choose {...{ view, reload, uploading }} failed={checking.state} />}
        {stage === "checked" && check && upload && (
          <>
            {view.unfinished && <Discardable imports={[view.unfinished]} reload={reload} />}
            <FileCard {...{ check, counts: check[mode] }} name={upload.name} size={upload.size} />
            <Faults {...{ check, counts: check[mode] }} />
            <FaultList hasFaults={check.issue_count > 0} total={check.issue_count} />
            {check.records > 0 && (
              <ImportForm {...{ mode, check, onMode: setMode }} records={view.records} />
            )}
            <Preview records={check.preview} />
          </>
        )}
        {stage === "done" && result && (
          <>
            <Result result={result} takesFocus={started !== null} />
            <FaultList hasFaults={result.invalid + result.refused > 0} />
          </>
        )}
      </div>
      {asked && (
        <Confirm
          title={`Replace ${counted(view.records, "record")}?`}
          action={`Replace ${counted(view.records, "Record", "Records")}`}
          isDangerous
          onConfirm={() => {
            setAsked(false);
            void begin.run("replace", false);
          }}
          onCancel={() => setAsked(false)}
        >
          {`${counted(view.records, "record")} of the dataset will be removed when the import has come to its end. Topics and grader stay; the dry run becomes stale.`}
        </Confirm>
      )}
    </DialogFrame>
  );
}

type Stage = "empty" | "working" | "checked" | "done";

function stageOf(view: ImportView, isAtWork: boolean): Stage {
  if (isAtWork) return "working";
  if (view.check && view.upload) return "checked";
  return view.result ? "done" : "empty";
}

interface ChooseProps extends Props {
  readonly uploading: Uploading;
  readonly failed: ReturnType<typeof useJob>["state"];
}

function Choose({ view, reload, uploading, failed }: ChooseProps) {
  const node = useTrait("node");
  const isElsewhere = node?.status === "processing";
  const problem =
    uploading.problem ?? (view.upload && failed?.status === "failed" ? failed.problem : null);
  return (
    <>
      {problem && <ProblemNote problem={problem} />}
      {isElsewhere && <p className="rft-note">{`Another import is at work: ${node.summary}`}</p>}
      {!isElsewhere && <Discardable imports={view.others} reload={reload} />}
      <DropZone accept={ACCEPTED} onFile={uploading.send}>
        <strong>Drop your file here, or choose one</strong>
        <br />
        .jsonl, .json or .gz
      </DropZone>
      <FormatGuide />
    </>
  );
}

function Discardable({
  imports,
  reload,
}: {
  readonly imports: ImportView["others"];
  reload(): void;
}) {
  const rpc = useRpc();
  const discard = useAction(async (id: string) => {
    await rpc.call("discard_unfinished", { import_id: id });
    reload();
  });
  return (
    <>
      <Unfinished imports={imports} isBusy={discard.isBusy} onDiscard={discard.run} />
      {discard.problem && <ProblemNote problem={discard.problem} />}
    </>
  );
}
