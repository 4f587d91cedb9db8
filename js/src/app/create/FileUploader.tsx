// A file: dropped or chosen, sent, and what it holds.
import { X } from "lucide-react";
import { FaultList } from "../../dialogs/import_records/FaultList";
import { Faults, FileCard, Preview } from "../../dialogs/import_records/FileCard";
import { FormatGuide } from "../../dialogs/import_records/FormatGuide";
import { SendingNote } from "../../dialogs/import_records/SendingNote";
import { useLoaded } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { DropZone } from "../../ui/DropZone";
import { bytes, percent } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { useRpc } from "./hooks";
import type { SentFile } from "./useFile";

interface Props {
  readonly file: SentFile;
  /** Show the calls of an uploaded file of traces one by one. */
  onTraces(location: string, name: string): void;
}

export function FileUploader({ file, onTraces }: Props) {
  const { state, sending } = file;
  const problem = file.problem ?? (state.status === "failed" ? state.problem : null);
  if (sending) {
    return (
      <div className="rft-create-part">
        <SendingNote {...sending} onStop={file.drop} />
      </div>
    );
  }
  if (state.status === "checking") {
    return (
      <div className="rft-create-part">
        <div className="rft-job" role="status">
          <span className="rft-job-words">
            <strong>Checking</strong> {`${state.upload?.name ?? ""}: ${state.doing}`}
          </span>
          <progress
            className="rft-job-bar"
            max={1}
            aria-label="Checking the file"
            {...(state.share === null ? {} : { value: state.share })}
          />
          <span className="rft-job-share">{state.share === null ? "" : percent(state.share)}</span>
          <Button onClick={file.drop}>Stop</Button>
        </div>
        <Skeleton lines={6} />
      </div>
    );
  }
  if (state.status === "ready") return <Checked {...{ file, onTraces }} />;
  return (
    <div className="rft-create-part">
      {problem && <ProblemNote problem={problem} />}
      {file.isCutOff && state.upload && (
        <div className="rft-warning rft-unfinished" role="status">
          <span>
            {`${bytes(state.upload.received)} of ${state.upload.name} arrived. Choose the same file again to go on.`}
          </span>
          <Button onClick={file.drop}>Discard</Button>
        </div>
      )}
      <DropZone accept=".jsonl,.json,.gz" onFile={file.send}>
        <strong>Drop your file here, or choose one</strong>
        <br />
        {`.jsonl, .json or .gz, up to ${bytes(state.max_bytes)}`}
      </DropZone>
      <FormatGuide />
    </div>
  );
}

function Checked({ file, onTraces }: Props) {
  const rpc = useRpc();
  const { upload } = file.state;
  const loaded = useLoaded((signal) => rpc.call("load_check", {}, signal), {
    revision: 0,
    subject: upload?.id ?? "",
  });
  const check = loaded.value;
  if (loaded.problem) return <ProblemNote problem={loaded.problem} onRetry={loaded.reload} />;
  if (!(check && upload)) return <Skeleton lines={8} />;
  return (
    <div className="rft-create-part">
      <FileCard name={upload.name} size={upload.size} check={check} counts={check.append} />
      <div className="rft-row">
        <Button icon={<X size={14} aria-hidden />} onClick={file.drop}>
          Choose Another File
        </Button>
        {check.format !== "records" && (
          <Button onClick={() => onTraces(`upload:${upload.id}`, upload.name)}>
            Select Single Traces
          </Button>
        )}
      </div>
      <Faults check={check} counts={check.append} />
      <FaultList hasFaults={check.issue_count > 0} total={check.issue_count} />
      <Preview records={check.preview} />
    </div>
  );
}
