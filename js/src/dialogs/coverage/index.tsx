// widgets/dialogs/coverage.py on the page.
import { useState } from "react";
import {
  type CoverageDialogCalls,
  type CoverageDialogTraits,
  type CoverageReport,
  DIALOG_TITLES,
} from "../../contract.gen";
import { useFollow, useRevision, widgetHooks } from "../../host/bridge";
import { useAction, useLoaded } from "../../host/loaded";
import { useInOverlay, useNavigation } from "../../host/navigation";
import { Button } from "../../ui/Button";
import { DialogFrame } from "../../ui/DialogFrame";
import { Empty } from "../../ui/Empty";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { Balance } from "./Balance";
import { TargetsForm } from "./TargetsForm";
import { TopicsTable } from "./TopicsTable";
import { WhatIf } from "./WhatIf";

const { useTrait, useRpc } = widgetHooks<CoverageDialogTraits, CoverageDialogCalls>();

export function CoverageDialogWidget() {
  useFollow();
  const rpc = useRpc();
  const { open, close } = useNavigation();
  const isAbove = useInOverlay();
  const node = useTrait("node");
  const revision = useRevision();
  const counted = useLoaded((signal) => rpc.call("load", {}, signal), { revision });
  // Looking for near-duplicates takes its time: what is counted shows meanwhile.
  const compared = useLoaded((signal) => rpc.call("load", { near_duplicates: true }, signal), {
    revision,
  });
  const problem = useTrait("problem") ?? counted.problem;
  const report = counted.value;
  const hasTopics = report !== null && report.topics.length > 0;
  const openGenerate = () => open({ kind: "dialog", name: "generate" });
  return (
    <DialogFrame
      title={DIALOG_TITLES.coverage}
      subtitle="How the valid records are spread over the topics, beside how they should be."
      footer={
        <>
          {isAbove && (
            <Button look="ghost" className="rft-left" onClick={close}>
              Skip for Now
            </Button>
          )}
          <Button disabled={!hasTopics} onClick={openGenerate}>
            Generate to Fill Gaps
          </Button>
          {isAbove && (
            <Button look="main" onClick={close}>
              Done
            </Button>
          )}
        </>
      }
    >
      {problem && <ProblemNote problem={problem} onRetry={counted.reload} />}
      {node?.stale.map((text) => (
        <p key={text} className="rft-note" role="status">
          {text}
        </p>
      ))}
      {!report && !problem && <Skeleton lines={9} />}
      {report && !hasTopics && (
        <Empty
          title={node?.blocked_reason ?? "There are no topics yet"}
          action={
            <Button look="main" onClick={() => open({ kind: "dialog", name: "topics" })}>
              Open Topics & Category
            </Button>
          }
        >
          Coverage compares the shares of topics; records need topics first.
        </Empty>
      )}
      {report && hasTopics && (
        <Shown
          report={report}
          compared={compared.value}
          isComparing={compared.isLoading}
          comparing={compared.problem?.message ?? null}
          revision={revision}
        />
      )}
    </DialogFrame>
  );
}

interface ShownProps {
  readonly report: CoverageReport;
  /** The same with near-duplicates, when they have been looked for. */
  readonly compared: CoverageReport | null;
  readonly isComparing: boolean;
  /** Why they could not be. */
  readonly comparing: string | null;
  readonly revision: number;
}

function Shown({ report, compared, isComparing, comparing, revision }: ShownProps) {
  const rpc = useRpc();
  const { open } = useNavigation();
  const [mode, setMode] = useState<"look" | "targets" | "what-if">("look");
  const save = useAction(async (targets: readonly { topic: string; percent: number }[]) => {
    await rpc.call("set_targets", { targets });
    setMode("look");
  });
  const follow = useAction(async (targets: "uniform" | "traffic") => {
    await rpc.call("follow", { targets });
    setMode("look");
  });
  const look = () => {
    save.clear();
    follow.clear();
    setMode("look");
  };
  const openTopic = (topic: string) =>
    open({ kind: "records", preset: { where: { topic, valid: true }, badge: topic } });
  return (
    <>
      <Balance
        report={report}
        nearDuplicates={compared?.near_duplicate_percentage ?? null}
        isComparing={isComparing}
        comparing={comparing}
        onUncategorized={() =>
          open({
            kind: "records",
            preset: { where: { uncategorized: true, valid: true }, badge: "Without a topic" },
          })
        }
      />
      {mode === "targets" && (
        <TargetsForm
          topics={report.topics}
          isBusy={save.isBusy || follow.isBusy}
          problem={save.problem ?? follow.problem}
          onSave={(targets) => void save.run(targets)}
          onFollow={(targets) => void follow.run(targets)}
          onCancel={look}
        />
      )}
      {mode === "what-if" && (
        <WhatIf
          report={report}
          revision={revision}
          load={(added, signal) => rpc.call("what_if", { added }, signal)}
          onClose={look}
        />
      )}
      {mode === "look" && (
        <TopicsTable
          topics={report.topics}
          onTopic={openTopic}
          onTargets={() => setMode("targets")}
          onWhatIf={() => setMode("what-if")}
        />
      )}
      <Advice texts={compared?.recommendations ?? report.recommendations} />
    </>
  );
}

function Advice({ texts }: { readonly texts: readonly string[] }) {
  return (
    <section aria-label="Recommendations">
      <h3 className="rft-section-title">Recommendations</h3>
      {texts.length === 0 ? (
        <p className="rft-note">Nothing to do: the topics are about as they should be.</p>
      ) : (
        <ul className="rft-coverage-advice">
          {texts.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
    </section>
  );
}
