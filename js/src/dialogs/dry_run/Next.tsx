// What to do after a dry run: train, or mend what keeps training from learning.
import { ArrowRight, RotateCcw } from "lucide-react";
import { useState } from "react";
import type { RecordsPreset, ShownRun } from "../../contract.gen";
import { useNavigation } from "../../host/navigation";
import { Button } from "../../ui/Button";
import { Confirm } from "../../ui/Confirm";
import { counted } from "../../ui/numbers";

interface Props {
  readonly run: ShownRun;
  onRecords(preset: RecordsPreset): void;
  onRerun(): void;
}

export function Next({ run, onRecords, onRerun }: Props) {
  const { open, replace } = useNavigation();
  const [isAsking, setAsking] = useState(false);
  const { verdict, reasons } = run.report;
  const train = () => replace({ kind: "dialog", name: "training" });
  return (
    <>
      <Button
        className="rft-left"
        look="ghost"
        icon={<RotateCcw size={14} aria-hidden />}
        onClick={onRerun}
      >
        Re-run
      </Button>
      {verdict !== "GO" && run.report.scores && (
        <Button onClick={() => onRecords(run.lowest)}>Review Samples</Button>
      )}
      {verdict === "NO_GO" ? (
        <Button look="main" onClick={() => open({ kind: "dialog", name: "grader" })}>
          Adjust Grader
        </Button>
      ) : (
        <Button look="main" onClick={verdict === "GO" ? train : () => setAsking(true)}>
          Proceed to Training
          <ArrowRight size={14} aria-hidden />
        </Button>
      )}
      {isAsking && (
        <Confirm
          title={`Train with ${counted(reasons.length, "warning")}?`}
          action="Proceed to Training"
          onConfirm={train}
          onCancel={() => setAsking(false)}
        >
          <ul>
            {reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </Confirm>
      )}
    </>
  );
}
