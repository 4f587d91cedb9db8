// widgets/dialogs/import_records.py on the page.
import {
  DIALOG_TITLES,
  type ImportRecordsDialogCalls,
  type ImportRecordsDialogTraits,
} from "../../contract.gen";
import { useFollow, widgetHooks } from "../../host/bridge";
import { DialogFrame } from "../../ui/DialogFrame";

const { useTrait } = widgetHooks<ImportRecordsDialogTraits, ImportRecordsDialogCalls>();

export function ImportRecordsDialogWidget() {
  useFollow();
  const node = useTrait("node");
  return <DialogFrame title={DIALOG_TITLES["import-records"]}>{node?.summary}</DialogFrame>;
}
