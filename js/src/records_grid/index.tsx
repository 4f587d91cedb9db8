// widgets/records_grid.py on the page.
import { useMemo } from "react";
import type { RecordsGridCalls, RecordsGridTraits } from "../contract.gen";
import { useFollow, useHost, useRevision, widgetHooks } from "../host/bridge";
import { useJobEnd } from "../host/jobs";
import { asProblem } from "../host/loaded";
import { useInOverlay, useNavigation, usePreset } from "../host/navigation";
import { openRpc, RpcError } from "../host/rpc";
import { DialogFrame } from "../ui/DialogFrame";
import { counted } from "../ui/numbers";
import { ProblemNote } from "../ui/ProblemNote";
import { useToast } from "../ui/toasts";
import type { GridApi } from "./api";
import { RecordsGrid } from "./RecordsGrid";

const { useTrait, useRpc } = widgetHooks<RecordsGridTraits, RecordsGridCalls>();

export function RecordsGridWidget() {
  useFollow();
  const revision = useRevision();
  const preset = usePreset();
  const isAbove = useInOverlay();
  const height = useTrait("height");
  const problem = useTrait("problem");
  const say = useToast();
  const api = useGridApi();
  useJobEnd((job) => {
    if (job.kind !== "evaluate") return;
    const isFine = job.status === "succeeded";
    say({
      title: isFine ? "Evaluated" : "Evaluation ended",
      text: job.outcome || job.problem?.message || "",
      tone: isFine ? "ok" : "warn",
    });
  });
  if (problem) {
    return (
      <DialogFrame title="Records">
        <ProblemNote problem={problem} />
      </DialogFrame>
    );
  }
  return <RecordsGrid {...{ api, preset, revision }} height={isAbove ? null : height} />;
}

function useGridApi(): GridApi {
  const rpc = useRpc();
  const { model } = useHost();
  const navigation = useNavigation();
  const say = useToast();
  return useMemo(
    () => ({
      rows: (request, signal) => patiently(() => rpc.call("rows", request, signal)),
      context: (signal) => patiently(() => rpc.call("context", {}, signal)),
      record: (record, signal) => patiently(() => rpc.call("record", { record }, signal)),
      beginEdit: (record, signal) => rpc.call("begin_edit", { record }, signal),
      checkEdit: (record, texts, signal) => rpc.call("check_edit", { record, texts }, signal),
      saveEdit: (record, version, texts) => rpc.call("save_edit", { record, version, texts }),
      confirmTopic: (record) => rpc.call("confirm_topic", { record }),
      size: (selection, signal) =>
        patiently(() => rpc.call("selection_size", { selection }, signal)),
      assignTopic: (selection, topic) => rpc.call("assign_topic", { selection, topic }),
      estimateEvaluate: (selection, signal) => rpc.call("estimate_evaluate", { selection }, signal),
      evaluate: (selection, max_cost_usd) => rpc.call("evaluate", { selection, max_cost_usd }),
      exportFile: (selection, file_format, signal) =>
        rpc.call("export", { selection, file_format }, signal),
      generate: (selection) => navigation.open({ kind: "dialog", name: "generate", selection }),
      async remove(selection) {
        const { id, count } = await rpc.call("delete", { selection });
        const undo = async () => {
          // The table may be closed by then, and its channel with it.
          const life = new AbortController();
          try {
            const own = openRpc<RecordsGridCalls>(model, life.signal);
            const back = await own.call("undo_delete", { deletion: id });
            say({ title: `${counted(back, "record")} brought back.`, tone: "ok" });
          } catch (error) {
            const { message, hint } = asProblem(error);
            say({ title: message, text: hint ?? "", tone: "bad" });
          } finally {
            life.abort();
          }
        };
        say({
          title: `${counted(count, "record")} deleted.`,
          action: { label: "Undo", run: () => void undo() },
        });
      },
    }),
    [rpc, model, navigation, say],
  );
}

const WAIT_MS = 60;
const MOST_TRIES = 100;

/** Ask again while the kernel works on as much as it takes: a change makes everything ask at once. */
async function patiently<V>(ask: () => Promise<V>): Promise<V> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof RpcError && error.code === "busy") || tries > MOST_TRIES) throw error;
      await new Promise((done) => setTimeout(done, WAIT_MS));
    }
  }
}
