// The grader as files for wherever a model is trained.
import { useState } from "react";
import type {
  Download,
  GraderDialogCalls,
  GraderDialogTraits,
  GraderView,
} from "../../contract.gen";
import { widgetHooks } from "../../host/bridge";
import { useDownload } from "../../host/download";
import { ChoiceField } from "../../ui/Field";
import { FormDialog } from "../../ui/FormDialog";

const { useRpc } = widgetHooks<GraderDialogTraits, GraderDialogCalls>();

type Given = Pick<GraderDialogCalls["export"]["params"], "grader" | "connection">;

interface Props {
  readonly targets: GraderView["targets"];
  readonly given: Given;
  onDone(file: string): void;
  onClose(): void;
}

export function ExportDialog({ targets, given, onDone, onClose }: Props) {
  const rpc = useRpc();
  const download = useDownload();
  const [target, setTarget] = useState("trl");
  const entry = targets.find((one) => one.name === target)?.entry;
  const take = async () => {
    const prepare = (signal: AbortSignal): Promise<Download> =>
      rpc.call("export", { target, ...given }, signal);
    const file = await download.start(prepare);
    if (file !== null) onDone(file);
  };
  return (
    <FormDialog
      title="Export the Grader"
      action="Download ZIP"
      isBusy={download.progress !== null}
      problem={download.problem}
      onSubmit={() => void take()}
      onClose={onClose}
    >
      <ChoiceField
        label="For"
        value={target}
        options={targets.map(({ name, title }) => [name, title] as const)}
        onChange={setTarget}
      />
      <p className="rft-note">
        {entry?.endsWith(".json")
          ? `${entry} is the grader as this service reads it.`
          : `${entry} grades by itself, with a copy of what grades here; models are asked where the grader says, and no key is in it.`}{" "}
        README.md says how it is used, and what is done otherwise there.
      </p>
    </FormDialog>
  );
}
