// The run card: everything about a run on one page, to read here and to take away.
import { Download, FileText } from "lucide-react";
import { useState } from "react";
import type { TrainingDialogCalls, TrainingDialogTraits } from "../../contract.gen";
import { widgetHooks } from "../../host/bridge";
import { useDownload } from "../../host/download";
import { useAction } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { ProblemNote } from "../../ui/ProblemNote";

const { useRpc } = widgetHooks<TrainingDialogTraits, TrainingDialogCalls>();

export function RunCard({ job }: { readonly job: string }) {
  const rpc = useRpc();
  const download = useDownload();
  const [page, setPage] = useState("");
  const open = useAction(async () => setPage(await rpc.call("card", { job })));
  const problem = open.problem ?? download.problem;
  const take = (file_format: "html" | "json") =>
    void download.start((signal) => rpc.call("download_card", { job, file_format }, signal));
  return (
    <section aria-labelledby="rft-training-card" className="rft-training-card">
      <div className="rft-row">
        <h3 id="rft-training-card" className="rft-section-title">
          Run card
        </h3>
        <Button
          icon={<FileText size={14} aria-hidden />}
          isBusy={open.isBusy}
          aria-expanded={page !== ""}
          onClick={() => (page ? setPage("") : void open.run())}
        >
          {page ? "Close Card" : "Open Card"}
        </Button>
        {(["html", "json"] as const).map((one) => (
          <Button
            key={one}
            icon={<Download size={14} aria-hidden />}
            disabled={download.progress !== null}
            onClick={() => take(one)}
          >
            {`Download ${one.toUpperCase()}`}
          </Button>
        ))}
        <span className="rft-note">What was trained, on what, how, and what came of it.</span>
      </div>
      {problem && <ProblemNote problem={problem} />}
      {page && (
        // It holds what users and models wrote: no script of it runs, and it reaches nothing here.
        <iframe title="Run card" sandbox="" srcDoc={page} className="rft-training-card-page" />
      )}
    </section>
  );
}
