// widgets/dialogs/topics.py on the page.
import { useCallback, useState } from "react";
import { DIALOG_TITLES, type TopicsDialogCalls, type TopicsDialogTraits } from "../../contract.gen";
import { useFollow, useRevision, widgetHooks } from "../../host/bridge";
import { fileName, save } from "../../host/download";
import { useJob, useJobEnd } from "../../host/jobs";
import { useAction, useLoaded } from "../../host/loaded";
import { useModels } from "../../host/models";
import { useNavigation } from "../../host/navigation";
import { Badge } from "../../ui/Badge";
import { DialogFrame } from "../../ui/DialogFrame";
import { JobProgress } from "../../ui/JobProgress";
import { count, counted } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { Tabs } from "../../ui/Tabs";
import { useToast } from "../../ui/toasts";
import { ApplyPane, Confidence } from "./ApplyPane";
import { GeneratePane } from "./GeneratePane";
import { ModelPane, NOBODY } from "./ModelPane";
import { Price } from "./Price";
import { ReviewPane } from "./ReviewPane";
import { TreePane } from "./TreePane";
import { useEdits } from "./useEdits";
import { useReview } from "./useReview";
import { useTree } from "./useTree";

const { useTrait, useRpc } = widgetHooks<TopicsDialogTraits, TopicsDialogCalls>();

type Tab = "topics" | "review";

const KINDS: readonly string[] = ["generate_topics", "split_topic", "categorize"];
const NO_ROWS = [] as const;

export function TopicsDialogWidget() {
  useFollow();
  const rpc = useRpc();
  const node = useTrait("node");
  const name = useTrait("name");
  const gone = useTrait("problem");
  const revision = useRevision();
  const navigation = useNavigation();
  const toast = useToast();
  const job = useJob(KINDS);
  const [tab, setTab] = useState<Tab>("topics");
  const [isCalled, setCalled] = useState(false); // to review, by the button
  const loaded = useLoaded((signal) => rpc.call("load", {}, signal), { revision });
  const models = useModels();
  const [asking, setAsking] = useState(NOBODY);
  const { model, decides, instructions, max_cost_usd } = asking;
  const decider = decides ? model : null;
  const estimate = useLoaded(
    (signal) => (model ? rpc.call("estimate", { model }, signal) : Promise.resolve(null)),
    { revision: job.isRunning ? -1 : revision, subject: model ?? "" },
  );
  const templates = useLoaded((signal) => rpc.call("templates", {}, signal), { revision: 0 });
  const report = loaded.value;
  const tree = useTree(report?.topics ?? NO_ROWS);
  const edits = useEdits(rpc);
  const review = useReview(rpc, revision, tab === "review");
  const run = useCallback((command: () => Promise<unknown>) => command(), []);
  const generating = useAction(run);
  const applying = useAction(run);
  const exporting = useAction(async () => {
    const text = await rpc.call("export", {});
    save(
      new Blob([text], { type: "application/json" }),
      fileName(`${name || "dataset"}-topics.json`),
    );
  });
  useJobEnd((ended) => {
    if (KINDS.includes(ended.kind) && ended.status === "succeeded") {
      toast({ title: `${ended.title}: done`, text: ended.outcome, tone: "ok" });
    }
  });

  const openRecords = useCallback(
    (path: string | null, onlyLow: boolean) => {
      const low = onlyLow ? { low_confidence: true } : {};
      const where = path === null ? { uncategorized: true } : { topic: path };
      const badge = path === null ? "Uncategorized" : `Topic: ${path}`;
      navigation.open({
        kind: "records",
        preset: {
          where: { ...where, ...low, valid: true },
          badge: onlyLow ? `${badge}, low confidence` : badge,
        },
      });
    },
    [navigation],
  );
  // What only a model could follow is said to none.
  const asked = model === null ? {} : { instructions: instructions.trim(), max_cost_usd };
  const isElsewhere = node?.status === "processing" && !job.isRunning;
  const frozen =
    job.isRunning || isElsewhere ? "Records are being put under topics; wait, or stop it." : null;

  return (
    <DialogFrame
      title={DIALOG_TITLES.topics}
      subtitle={
        report &&
        `${counted(report.leaves, "topic")} • ${count(report.categorized)} of ${counted(report.records, "record")} categorized`
      }
      aside={
        report &&
        report.low_confidence > 0 && (
          <Badge tone="warn">{`${count(report.low_confidence)} low confidence`}</Badge>
        )
      }
    >
      {gone && <ProblemNote problem={gone} />}
      <JobProgress job={job} />
      {isElsewhere && (
        <p className="rft-topics-news" role="status">
          {`${node.summary} Started elsewhere; it can be stopped there.`}
        </p>
      )}
      {exporting.problem && <ProblemNote problem={exporting.problem} />}
      {loaded.problem && <ProblemNote problem={loaded.problem} onRetry={loaded.reload} />}
      {!report && !loaded.problem && <Skeleton lines={9} />}
      {report && (
        <Tabs<Tab>
          label="Topics"
          value={tab}
          onChange={(value) => {
            setCalled(false);
            setTab(value);
          }}
          tabs={[
            {
              value: "topics",
              title: "Topics",
              body: (
                <div className="rft-topics">
                  <div className="rft-topics-left">
                    <TreePane
                      report={report}
                      tree={tree}
                      edits={edits}
                      frozen={frozen}
                      openRecords={openRecords}
                      onDownload={() => void exporting.run()}
                      onImport={() => navigation.open({ kind: "dialog", name: "import-topics" })}
                    />
                    <Confidence
                      report={report}
                      onReview={() => {
                        setCalled(true);
                        setTab("review");
                      }}
                    />
                  </div>
                  <div className="rft-topics-right">
                    <ModelPane
                      asking={asking}
                      models={models}
                      estimate={estimate}
                      onChange={setAsking}
                    />
                    <ApplyPane
                      report={report}
                      frozen={frozen}
                      price={decider && <Price model={decider} mode="recategorize_all" />}
                      starting={applying}
                      categorize={(mode) =>
                        rpc.call("categorize", { mode, model: decider, ...asked })
                      }
                    />
                    <GeneratePane
                      report={report}
                      templates={templates}
                      model={model}
                      frozen={frozen}
                      starting={generating}
                      atRisk={() => rpc.call("at_risk", {})}
                      regenerate={(wanted) =>
                        rpc.call("regenerate", {
                          ...wanted,
                          ...asked,
                          model: wanted.method === "auto" ? model : null,
                          categorize_model: decider,
                        })
                      }
                    />
                  </div>
                </div>
              ),
            },
            {
              value: "review",
              title: (
                <>
                  Review queue <Badge>{count(report.to_review)}</Badge>
                </>
              ),
              body: <ReviewPane report={report} review={review} isFocused={isCalled} />,
            },
          ]}
        />
      )}
    </DialogFrame>
  );
}
