// widgets/dialogs/grader.py on the page.
import { useEffect, useState } from "react";
import {
  DIALOG_TITLES,
  type GraderDialogCalls,
  type GraderDialogTraits,
  type GraderView,
  type SavedGrader,
  SETTINGS,
} from "../../contract.gen";
import { useFollow, useRevision, widgetHooks } from "../../host/bridge";
import { useAction, useLoaded } from "../../host/loaded";
import { useModels } from "../../host/models";
import { useNavigation } from "../../host/navigation";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { DialogFrame } from "../../ui/DialogFrame";
import { Empty } from "../../ui/Empty";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { estimateWords, pastErrorWords } from "../../ui/spending";
import { useToast } from "../../ui/toasts";
import { useLeaving } from "../../ui/useLeaving";
import { asksModel, type GraderValue, modelOf, sourceOf } from "./draft";
import { ExportDialog } from "./ExportDialog";
import { FileMenu } from "./FileMenu";
import { GraderEditor } from "./GraderEditor";
import { PanelDialog, type PanelOptions } from "./PanelDialog";
import { type PresetOptions, PresetsDialog } from "./PresetsDialog";
import { Trials } from "./Trials";
import { useCheck } from "./useCheck";
import { type Drafting, useDraft } from "./useDraft";
import { useEstimate } from "./useEstimate";
import { useTrials } from "./useTrials";

const { useTrait, useRpc } = widgetHooks<GraderDialogTraits, GraderDialogCalls>();

export function GraderDialogWidget() {
  useFollow();
  const rpc = useRpc();
  const node = useTrait("node");
  const { open } = useNavigation();
  const view = useLoaded((signal) => rpc.call("load", {}, signal), { revision: useRevision() });
  const drafting = useDraft(view.value);
  if (node?.blocked_reason) {
    return (
      <DialogFrame title={DIALOG_TITLES.grader}>
        <Empty
          title={node.blocked_reason}
          action={
            <Button look="main" onClick={() => open({ kind: "dialog", name: "records" })}>
              Open {DIALOG_TITLES.records}
            </Button>
          }
        >
          A grader judges recorded answers, and there is no valid record yet.
        </Empty>
      </DialogFrame>
    );
  }
  if (!view.value) {
    return (
      <DialogFrame title={DIALOG_TITLES.grader}>
        {view.problem ? (
          <ProblemNote problem={view.problem} onRetry={view.reload} />
        ) : (
          <Skeleton lines={12} />
        )}
      </DialogFrame>
    );
  }
  return <Loaded view={view.value} drafting={drafting} reload={view.reload} />;
}

interface Props {
  readonly view: GraderView;
  readonly drafting: Drafting;
  reload(): void;
}

function Loaded({ view, drafting, reload }: Props) {
  const rpc = useRpc();
  const toast = useToast();
  const { draft, isDirty } = drafting;
  const [isChoosing, setChoosing] = useState(false);
  const [isSeating, setSeating] = useState(false);
  const [isExporting, setExporting] = useState(false);
  // A connection is saved with a grader only where it asks a model.
  const connection = draft && asksModel(draft.grader) ? draft.connection : null;
  const given = draft && { grader: sourceOf(draft), connection };
  const checking = useCheck(given, useRevision(), (asked, signal) =>
    rpc.call("check", asked, signal),
  );
  const trials = useTrials(rpc, given);
  const models = useModels();
  const estimate = useEstimate(rpc, given, useRevision());
  const leaving = useLeaving(isDirty, "the grader", drafting.discard);

  const told = (saved: SavedGrader, title: string) => {
    const isStale = saved.stale.length > 0;
    const text = isStale
      ? `Stale now: ${saved.stale.join(" ")}`
      : "Nothing that was done is stale.";
    toast({ title: `${title} version ${saved.version}`, text, tone: isStale ? "warn" : "ok" });
    reload();
  };
  const save = useAction(async () => {
    if (!draft || !given) return;
    const saved = await rpc.call("save", given);
    drafting.saved(saved.version, draft);
    told(saved, "Saved as");
  });
  // What was refused may be right now.
  const clear = save.clear;
  useEffect(clear, [draft, clear]);
  const restore = useAction(async (version: number) =>
    told(await rpc.call("restore", { version }), "Back to"),
  );
  const begin = (grader: GraderValue) =>
    drafting.change({ grader, connection: draft?.connection ?? null, text: null });
  const preset = useAction(async (options: PresetOptions) => {
    begin(await rpc.call("preset", options));
    setChoosing(false);
  });

  const panel = useAction(async (options: PanelOptions) => {
    if (!draft) return;
    const grader = await rpc.call("panel", { grader: sourceOf(draft), ...options });
    const [first, ...others] = options.connections;
    const seats = others.length > 0 ? options.connections : (first ?? draft.connection);
    drafting.change({ grader, connection: seats, text: null });
    setSeating(false);
  });

  const inUse = view.versions.find((version) => version.in_use);
  return (
    <DialogFrame
      title={DIALOG_TITLES.grader}
      subtitle={inUse ? `Version ${inUse.version} is in use` : "No grader yet"}
      aside={
        <FileMenu
          draft={draft}
          onImport={begin}
          onExport={() => setExporting(true)}
          onProblem={(words) => toast({ title: words, tone: "bad" })}
        />
      }
      footer={
        <>
          <span className="rft-left" role="status">
            {draft && (
              <Badge tone={isDirty ? "warn" : "ok"}>{isDirty ? "Unsaved changes" : "Saved"}</Badge>
            )}
            {estimate && (
              <span className="rft-note rft-grader-estimate">
                A test: {estimateWords(estimate)} {pastErrorWords(estimate)}
              </span>
            )}
          </span>
          {isDirty && <Button onClick={drafting.discard}>Discard Changes</Button>}
          <Button disabled={!draft || trials.jobs.test.isRunning} onClick={trials.test}>
            Test on {SETTINGS.grader_test.records} Samples
          </Button>
          <Button look="main" isBusy={save.isBusy} disabled={!isDirty} onClick={() => save.run()}>
            Save
          </Button>
        </>
      }
    >
      {drafting.elsewhere !== null && (
        <p className="rft-grader-missing" role="status">
          Version {drafting.elsewhere} was saved elsewhere meanwhile. Your changes are still here;
          saving makes a version of them.
        </p>
      )}
      <GraderEditor
        draft={draft}
        view={view}
        check={checking.found}
        completions={view.variables.map(({ name, detail }) => ({ label: name, detail }))}
        onChange={drafting.change}
        onChoose={drafting.choose}
        models={models.value}
        onPresets={() => setChoosing(true)}
        onPanel={() => {
          panel.clear();
          setSeating(true);
        }}
      />
      {[checking.problem, save.problem, restore.problem, trials.problem].map(
        (problem, index) => problem && <ProblemNote key={index} problem={problem} />,
      )}
      <Trials
        view={view}
        results={trials.results}
        hash={checking.found?.hash ?? null}
        canStart={draft !== null}
        jobs={trials.jobs}
        isRestoring={restore.isBusy}
        onTest={trials.testOthers}
        onLabels={trials.compareLabels}
        onCompare={trials.compareVersion}
        onRestore={({ version }) => leaving.ask("Restore", () => restore.run(version))}
      />
      {isChoosing && (
        <PresetsDialog
          presets={view.presets}
          fields={view.fields}
          model={modelOf(draft?.grader ?? null)}
          isBusy={preset.isBusy}
          problem={preset.problem}
          onUse={preset.run}
          onClose={() => setChoosing(false)}
        />
      )}
      {isSeating && (
        <PanelDialog
          models={models.value}
          isBusy={panel.isBusy}
          problem={panel.problem}
          onMake={panel.run}
          onClose={() => setSeating(false)}
        />
      )}
      {isExporting && given && (
        <ExportDialog
          targets={view.targets}
          given={given}
          onDone={(file) => {
            setExporting(false);
            toast({ title: `Saved as ${file}`, tone: "ok" });
          }}
          onClose={() => setExporting(false)}
        />
      )}
      {leaving.question}
    </DialogFrame>
  );
}
