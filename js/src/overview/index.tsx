// widgets/overview.py on the page.
import { type KeyboardEvent, type ReactNode, useCallback, useState } from "react";
import { PipelineCanvas } from "../canvas/PipelineCanvas";
import type { Download, JobState, OverviewCalls, OverviewTraits } from "../contract.gen";
import { INVALID } from "../health_bar";
import { HealthBar } from "../health_bar/HealthBar";
import { useFollow, widgetHooks } from "../host/bridge";
import { useDownload } from "../host/download";
import { useJobEnd } from "../host/jobs";
import { stepDialog, useNavigation } from "../host/navigation";
import { useTheme } from "../host/theme";
import { ProblemNote } from "../ui/ProblemNote";
import { type Toast, useToast } from "../ui/toasts";
import { DownloadDialog, type RecordsFormat } from "./DownloadDialog";
import { type Commands, Header } from "./Header";
import { Help } from "./Help";
import { Strip } from "./Strip";

const { useTrait, useRpc } = widgetHooks<OverviewTraits, OverviewCalls>();

export function OverviewWidget() {
  useFollow();
  const height = useTrait("height");
  return (
    <div className="rft-overview">
      <DatasetView height={height} head={(commands) => <Header {...commands} />} />
    </div>
  );
}

interface ViewProps {
  /** Of the canvas; without, it fills what is there. */
  readonly height?: number;
  /** Where the buttons of the zoom go, if not onto the canvas. */
  readonly zoomInto?: HTMLElement | null;
  head(commands: Commands): ReactNode;
}

/** Commands, health, long work and the steps of a dataset: what stands in a cell, and on a page. */
export function DatasetView({ height, zoomInto, head }: ViewProps) {
  const rpc = useRpc();
  const navigation = useNavigation();
  const say = useToast();
  const state = useTrait("state");
  const report = useTrait("report");
  const activity = useTrait("activity");
  const name = useTrait("name");
  const problem = useTrait("problem");
  const jobs = useTrait("jobs") ?? NONE;
  const colors = useTheme() === "lab-light" ? "light" : "dark";
  const download = useDownload();
  const [asked, setAsked] = useState<"help" | "download" | null>(null);
  useJobEnd((job) => {
    if (!QUIET.has(job.kind)) say(newsOf(job));
  });

  const onOpen = useCallback(
    (step: number) => {
      const place = stepDialog(step);
      if (place) navigation.open(place);
    },
    [navigation],
  );
  const onViewIssues = useCallback(
    () => navigation.open({ kind: "records", preset: INVALID }),
    [navigation],
  );
  const onViewImports = useCallback(
    () => navigation.open({ kind: "dialog", name: "records" }),
    [navigation],
  );
  const take = async (prepare: (signal: AbortSignal) => Promise<Download>) => {
    const saved = await download.start(prepare);
    if (saved) say({ title: "Downloaded", text: saved, tone: "ok" });
  };
  const onFormat = (file_format: RecordsFormat) => {
    setAsked(null);
    void take((signal) => rpc.call("download_records", { file_format }, signal));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "?" && !isTyping(event.target)) {
      event.preventDefault();
      setAsked("help");
    }
  };

  if (problem) return <ProblemNote problem={problem} />;
  if (!state || !report) return <div className="rft-canvas rft-skeleton" style={{ height }} />;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: one key for all that is in it
    <div className="rft-dataset" onKeyDown={onKeyDown}>
      {head({
        name,
        onRecords: () => navigation.open({ kind: "records", preset: {} }),
        onImportRecords: () => navigation.open({ kind: "dialog", name: "import-records" }),
        onDownloadRecords: () => setAsked("download"),
        onImportTopics: () => navigation.open({ kind: "dialog", name: "import-topics" }),
        onDownloadTopics: () => void take((signal) => rpc.call("download_topics", {}, signal)),
        onHelp: () => setAsked("help"),
      })}
      {download.problem && <ProblemNote problem={download.problem} onRetry={download.clear} />}
      <HealthBar {...{ report, activity, onViewIssues, onViewImports }} />
      <Strip
        jobs={jobs}
        download={download.progress}
        onStop={(job) => rpc.tell("cancel_job", { job })}
        onStopDownload={download.stop}
      />
      <PipelineCanvas {...{ state, name, height, zoomInto, colors, onOpen }} selected={0} />
      {asked === "help" && <Help onClose={() => setAsked(null)} />}
      {asked === "download" && (
        <DownloadDialog
          total={report.total}
          valid={report.valid}
          onDownload={onFormat}
          onClose={() => setAsked(null)}
        />
      )}
    </div>
  );
}

const NONE: readonly JobState[] = [];
/** Work whose end shows where it was begun, and nowhere else. */
const QUIET: ReadonlySet<string> = new Set(["check_file"]);

/** How work ended, as news. */
export function newsOf({ title, status, outcome, problem }: JobState): Toast {
  if (status === "failed") {
    return { title: `${title}: failed`, text: problem?.message ?? "", tone: "bad" };
  }
  if (status === "cancelled") return { title: `${title}: stopped`, text: outcome, tone: "warn" };
  return { title: `${title}: done`, text: outcome, tone: "ok" };
}

function isTyping(target: EventTarget): boolean {
  return target instanceof Element && target.matches("input, textarea, select, [contenteditable]");
}
