// After accepting: what changed, and where to go from there.
import { type AcceptOutcome, DIALOG_TITLES } from "../../contract.gen";
import { useInOverlay, useNavigation } from "../../host/navigation";
import { Button } from "../../ui/Button";
import { DialogFrame } from "../../ui/DialogFrame";
import { counted } from "../../ui/numbers";
import { Outcome } from "./Outcome";

interface Props {
  readonly outcome: AcceptOutcome;
  readonly planned: number | null;
  /** Candidates that wait for a decision still. */
  readonly left: number;
  onReview(): void;
}

export function Accepted({ outcome, planned, left, onReview }: Props) {
  const { open, close } = useNavigation();
  const isAbove = useInOverlay();
  return (
    <DialogFrame
      title={DIALOG_TITLES.generate}
      footer={
        <>
          <Button
            className="rft-left"
            look="ghost"
            onClick={() =>
              open({
                kind: "records",
                preset: { where: { source: "generated" }, badge: "Generated" },
              })
            }
          >
            Show Generated Records
          </Button>
          <Button onClick={() => open({ kind: "dialog", name: "coverage" })}>Coverage</Button>
          {left > 0 ? (
            <Button onClick={onReview}>{`Review the Other ${left.toLocaleString("en-US")}`}</Button>
          ) : (
            <Button onClick={onReview}>Plan More</Button>
          )}
          {isAbove && (
            <Button look="main" onClick={close}>
              Done
            </Button>
          )}
        </>
      }
    >
      <Outcome outcome={outcome} planned={planned} />
      {left > 0 && (
        <p className="rft-note">
          {`${counted(left, "candidate")} ${left === 1 ? "waits" : "wait"} for a decision still: they stay until they are accepted or discarded.`}
        </p>
      )}
    </DialogFrame>
  );
}
