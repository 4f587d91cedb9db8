// "View Errors": the faults of the lines, asked for when somebody wants to see them.
import { useState } from "react";
import type { ImportRecordsDialogCalls, ImportRecordsDialogTraits } from "../../contract.gen";
import { widgetHooks } from "../../host/bridge";
import { useDownload } from "../../host/download";
import { useLoaded } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { LineIssues } from "./LineIssues";

const { useRpc } = widgetHooks<ImportRecordsDialogTraits, ImportRecordsDialogCalls>();

interface Props {
  readonly hasFaults: boolean;
  readonly total?: number;
}

export function FaultList({ hasFaults, total }: Props) {
  const [isOpen, setOpen] = useState(false);
  if (!hasFaults) return null;
  return (
    <div className="rft-fault-list">
      <Button aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {isOpen ? "Hide Errors" : "View Errors"}
      </Button>
      {isOpen && <Opened {...(total === undefined ? {} : { total })} />}
    </div>
  );
}

function Opened({ total }: { readonly total?: number }) {
  const rpc = useRpc();
  const issues = useLoaded((signal) => rpc.call("load_issues", {}, signal), { revision: 0 });
  const download = useDownload();
  if (issues.problem) return <ProblemNote problem={issues.problem} onRetry={issues.reload} />;
  if (!issues.value) return <Skeleton lines={4} />;
  return (
    <>
      <LineIssues
        issues={issues.value}
        {...(total === undefined ? {} : { total })}
        isBusy={download.progress !== null}
        onDownload={(file_format) =>
          void download.start((signal) => rpc.call("download_issues", { file_format }, signal))
        }
      />
      {download.problem && <ProblemNote problem={download.problem} />}
    </>
  );
}
