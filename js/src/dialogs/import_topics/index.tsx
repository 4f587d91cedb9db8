// widgets/dialogs/import_topics.py on the page.
import { useState } from "react";
import {
  DIALOG_TITLES,
  type FoundTopics,
  type ImportedTopics,
  type ImportTopicsDialogCalls,
  type ImportTopicsDialogTraits,
  type Problem,
  SETTINGS,
} from "../../contract.gen";
import { useFollow, useRevision, widgetHooks } from "../../host/bridge";
import { useAction, useLoaded } from "../../host/loaded";
import { useInOverlay, useNavigation } from "../../host/navigation";
import { Button } from "../../ui/Button";
import { DialogFrame } from "../../ui/DialogFrame";
import { DropZone } from "../../ui/DropZone";
import { count, counted } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { useToast } from "../../ui/toasts";
import { type Assignments, ImportForm } from "./ImportForm";

const { useTrait, useRpc } = widgetHooks<ImportTopicsDialogTraits, ImportTopicsDialogCalls>();

interface Chosen {
  readonly name: string;
  readonly data: ArrayBuffer;
  /** Tells two choices of the same file apart. */
  readonly key: number;
}

const LIMIT = SETTINGS.topic_limits.max_upload_bytes;

export function ImportTopicsDialogWidget() {
  useFollow();
  const rpc = useRpc();
  const gone = useTrait("problem");
  const revision = useRevision();
  const navigation = useNavigation();
  const isAbove = useInOverlay();
  const toast = useToast();
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [refused, setRefused] = useState<Problem | null>(null);
  const [assignments, setAssignments] = useState<Assignments>("keep");
  const [result, setResult] = useState<ImportedTopics | null>(null);

  const loaded = useLoaded<FoundTopics | null>(
    (signal) =>
      chosen && !result ? rpc.call("preview", {}, signal, chosen.data) : Promise.resolve(null),
    { revision, subject: chosen ? `${chosen.key} ${result !== null}` : "" },
  );
  const found = loaded.value;

  const choose = async (file: File) => {
    setResult(null);
    setRefused(null);
    setChosen(null);
    if (file.size > LIMIT) {
      setRefused({
        code: "too_large",
        message: `${file.name} has ${count(file.size)} bytes; a page takes at most ${count(LIMIT)}.`,
        hint: "A file of topics is far smaller. ds.import_topics() reads larger ones.",
      });
      return;
    }
    try {
      const data = await file.arrayBuffer();
      setChosen((before) => ({ name: file.name, data, key: (before?.key ?? 0) + Date.now() }));
    } catch {
      setRefused({
        code: "unreadable",
        message: `${file.name} cannot be read.`,
        hint: "It may have been moved or changed; choose it again.",
      });
    }
  };
  const applying = useAction(async () => {
    if (!chosen) return;
    const done = await rpc.call("apply", { assignments }, undefined, chosen.data);
    setResult(done);
    toast({ title: "Topics imported", text: words(done), tone: "ok" });
    if (isAbove) navigation.close();
  });

  return (
    <DialogFrame
      title={DIALOG_TITLES["import-topics"]}
      subtitle="A JSON file, as Download Topics writes it or as a flat map of topics."
      footer={
        <>
          {isAbove && <Button onClick={navigation.close}>Cancel</Button>}
          <Button
            look="main"
            disabled={!found || loaded.problem !== null || result !== null}
            isBusy={applying.isBusy}
            onClick={() => void applying.run()}
          >
            {found ? `Import ${counted(found.topics, "Topic")}` : "Import Topics"}
          </Button>
        </>
      }
    >
      {gone && <ProblemNote problem={gone} />}
      <DropZone accept=".json" disabled={applying.isBusy} onFile={(file) => void choose(file)}>
        {chosen ? (
          <>
            <strong>{chosen.name}</strong> ({count(chosen.data.byteLength)} bytes). Drop another
            file, or choose one.
          </>
        ) : (
          "Drop a .json file here, or choose one."
        )}
      </DropZone>
      {refused && <ProblemNote problem={refused} />}
      {chosen && loaded.problem && (
        <ProblemNote
          problem={{
            ...loaded.problem,
            message: `${chosen.name} was not imported. ${loaded.problem.message}`,
          }}
        />
      )}
      {chosen && !found && !loaded.problem && !result && <Skeleton lines={6} />}
      {found && !loaded.problem && (
        <ImportForm
          found={found}
          assignments={assignments}
          isBusy={applying.isBusy}
          onAssignments={setAssignments}
        />
      )}
      {applying.problem && <ProblemNote problem={applying.problem} />}
      {result && (
        <p className="rft-import-done" role="status">
          {words(result)}
        </p>
      )}
    </DialogFrame>
  );
}

const words = ({ leaves, kept, lost }: ImportedTopics): string =>
  `${counted(leaves, "topic")} for records; ${counted(kept, "record keeps", "records keep")} a topic, ` +
  `${count(lost)} lost theirs.`;
