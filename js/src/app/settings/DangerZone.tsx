// What takes a dataset's work away.
import { useState } from "react";
import type { DatasetInfo, DatasetPageCalls, DatasetPageTraits } from "../../contract.gen";
import { widgetHooks } from "../../host/bridge";
import { useAction } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { Confirm } from "../../ui/Confirm";
import { ProblemNote } from "../../ui/ProblemNote";
import { useToast } from "../../ui/toasts";
import { useApp } from "../app_host";
import { deleteWords } from "../list/words";
import { LIST } from "../router";
import { useRouting } from "../routing";

const { useRpc } = widgetHooks<DatasetPageTraits, DatasetPageCalls>();

interface Props {
  readonly info: DatasetInfo;
  readonly records: number;
}

export function DangerZone({ info, records }: Props) {
  const rpc = useRpc();
  const app = useApp().rpc;
  const say = useToast();
  const { go } = useRouting();
  const [asked, setAsked] = useState<"reset" | "delete" | null>(null);
  const reset = useAction(async () => {
    await rpc.call("reset_pipeline", {});
    say({ title: "The pipeline was reset", text: "The records are as they were.", tone: "ok" });
    go({ page: "canvas", id: info.id });
  });
  const remove = useAction(async () => {
    await app.call("delete_dataset", { dataset: info.id });
    say({ title: "Deleted", text: `${info.name} is gone.`, tone: "ok" });
    go(LIST);
  });
  const problem = reset.problem ?? remove.problem;
  const close = () => setAsked(null);
  return (
    <section className="rft-card rft-danger-zone" aria-label="Danger zone">
      <h2 className="rft-card-title">Danger zone</h2>
      <div className="rft-danger-row">
        <span>
          <strong>Reset Pipeline</strong>
          <span className="rft-note">
            Clear all progress and start over. Records are preserved.
          </span>
        </span>
        <Button isBusy={reset.isBusy} onClick={() => setAsked("reset")}>
          Reset Pipeline
        </Button>
      </div>
      <div className="rft-danger-row">
        <span>
          <strong>Delete Dataset</strong>
          <span className="rft-note">
            Permanently delete this dataset and all records. Cannot be undone.
          </span>
        </span>
        <Button look="danger" isBusy={remove.isBusy} onClick={() => setAsked("delete")}>
          Delete Dataset
        </Button>
      </div>
      {problem && <ProblemNote problem={problem} />}
      {asked === "reset" && (
        <Confirm
          title="Reset Pipeline?"
          action="Reset"
          isDangerous
          onCancel={close}
          onConfirm={() => {
            close();
            void reset.run();
          }}
        >
          This will clear all pipeline progress including topics, coverage analysis, grader
          configuration, and dry run results. Records will be preserved.
        </Confirm>
      )}
      {asked === "delete" && (
        <Confirm
          title="Delete Dataset?"
          action="Delete"
          isDangerous
          onCancel={close}
          onConfirm={() => {
            close();
            void remove.run();
          }}
        >
          {deleteWords(info.name, records)}
        </Confirm>
      )}
    </section>
  );
}
