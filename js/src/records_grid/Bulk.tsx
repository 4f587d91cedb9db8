// What is done to the selected records: asked, done, and told.
import { type ReactNode, useState } from "react";
import type { GridContext } from "../contract.gen";
import { useDownload } from "../host/download";
import { useJob } from "../host/jobs";
import { useAction } from "../host/loaded";
import { Confirm } from "../ui/Confirm";
import { JobProgress } from "../ui/JobProgress";
import { counted } from "../ui/numbers";
import { ProblemNote } from "../ui/ProblemNote";
import { useToast } from "../ui/toasts";
import type { FileFormat, GridApi } from "./api";
import { EvaluateConfirm } from "./EvaluateConfirm";
import { type BulkAction, Footer } from "./Footer";
import { asSelection } from "./picked";
import { TopicConfirm } from "./TopicConfirm";
import type { Selecting } from "./usePicked";
import type { View } from "./useView";

interface Props {
  readonly api: GridApi;
  readonly view: View;
  readonly selecting: Selecting;
  readonly context: GridContext | null;
  readonly isAllOfFilter: boolean;
  /** The table. */
  readonly children: ReactNode;
  onPickAll(): void;
  onHelp(): void;
}

export function Bulk(props: Props) {
  const { api, view, selecting, context, children } = props;
  const say = useToast();
  const [asked, setAsked] = useState<BulkAction | null>(null);
  const job = useJob("evaluate");
  const download = useDownload();
  const selection = asSelection(selecting.picked);
  const records = counted(selecting.size ?? 0, "record");

  const assign = useAction(async (topic: string | null) => {
    const count = await api.assignTopic(selection, topic);
    say({ title: `${counted(count, "record")} ${topic ? `under ${topic}` : "without a topic"}.` });
    view.refresh();
  });
  const remove = useAction(async () => {
    await api.remove(selection);
    selecting.clear();
    view.refresh();
  });
  const evaluate = useAction((cap: number | null) => api.evaluate(selection, cap));
  const ask = (action: BulkAction) => {
    if (action === "generate") api.generate(selection);
    else setAsked(action);
  };
  const onExport = async (format: FileFormat) => {
    const name = await download.start((signal) => api.exportFile(selection, format, signal));
    if (name) say({ title: `${name} was saved.`, tone: "ok" });
  };
  const answer = (act: () => void) => () => {
    setAsked(null);
    act();
  };
  const problem = assign.problem ?? remove.problem ?? evaluate.problem ?? download.problem;
  const isBusy = assign.isBusy || remove.isBusy || evaluate.isBusy;
  return (
    <>
      {problem && <ProblemNote problem={problem} />}
      {(job.isRunning || job.state?.status === "failed") && <JobProgress job={job} />}
      {children}
      <Footer
        total={view.rows?.total ?? 0}
        isExact={view.rows?.isExact ?? true}
        everything={view.rows?.everything ?? 0}
        picked={selecting.size}
        isAllPicked={props.isAllOfFilter}
        isBusy={isBusy || job.isRunning}
        isExporting={download.progress !== null}
        onPickAll={props.onPickAll}
        onClear={selecting.clear}
        onAction={ask}
        onExport={onExport}
        onHelp={props.onHelp}
      />
      {asked === "assign" && (
        <TopicConfirm
          title={`Put ${records} under a topic`}
          topics={context?.topics ?? []}
          onConfirm={(topic) => answer(() => void assign.run(topic))()}
          onCancel={() => setAsked(null)}
        />
      )}
      {asked === "evaluate" && (
        <EvaluateConfirm
          records={records}
          grader={context?.grader ?? null}
          estimate={(signal) => api.estimateEvaluate(selection, signal)}
          onConfirm={(cap) => answer(() => void evaluate.run(cap))()}
          onCancel={() => setAsked(null)}
        />
      )}
      {asked === "delete" && (
        <Confirm
          title={`Delete ${records}?`}
          action={`Delete ${records}`}
          isDangerous
          onConfirm={answer(() => void remove.run())}
          onCancel={() => setAsked(null)}
        >
          They can be brought back with Undo, or in Python with ds.undo_delete().
        </Confirm>
      )}
    </>
  );
}
