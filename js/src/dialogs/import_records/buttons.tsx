// The foot of the dialog.
import type { ImportView } from "../../contract.gen";
import { useInOverlay, useNavigation } from "../../host/navigation";
import { Button } from "../../ui/Button";
import { counted } from "../../ui/numbers";
import type { Mode } from "./ImportForm";

interface CheckedProps {
  readonly view: ImportView;
  readonly mode: Mode;
  readonly isBusy: boolean;
  onAgain(): void;
  onImport(): void;
  onResume(mode: Mode): void;
}

export function CheckedButtons({ view, mode, isBusy, onAgain, onImport, onResume }: CheckedProps) {
  const { check, unfinished } = view;
  const records = check?.records ?? 0;
  return (
    <>
      <Button className="rft-left" onClick={onAgain}>
        Choose Another File
      </Button>
      {unfinished && (
        <Button look="main" isBusy={isBusy} onClick={() => onResume(unfinished.mode)}>
          Resume Import
        </Button>
      )}
      <Button
        look={unfinished ? "plain" : mode === "replace" ? "danger" : "main"}
        isBusy={isBusy}
        disabled={records === 0}
        onClick={onImport}
      >
        {unfinished ? "Import From the Start" : `Import ${counted(records, "Record")}`}
      </Button>
    </>
  );
}

export function DoneButtons({ onAgain }: { onAgain(): void }) {
  const navigation = useNavigation();
  const isAbove = useInOverlay();
  return (
    <>
      <Button className="rft-left" onClick={onAgain}>
        Import Another File
      </Button>
      <Button onClick={() => navigation.open({ kind: "records", preset: {} })}>
        Browse Records
      </Button>
      {isAbove && (
        <Button look="main" onClick={navigation.close}>
          Done
        </Button>
      )}
    </>
  );
}
