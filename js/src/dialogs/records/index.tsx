// widgets/dialogs/records.py on the page.
import {
  DIALOG_TITLES,
  type RecordsDialogCalls,
  type RecordsDialogTraits,
} from "../../contract.gen";
import { useFollow, widgetHooks } from "../../host/bridge";
import { DialogFrame } from "../../ui/DialogFrame";

const { useTrait } = widgetHooks<RecordsDialogTraits, RecordsDialogCalls>();

export function RecordsDialogWidget() {
  useFollow();
  const node = useTrait("node");
  return <DialogFrame title={DIALOG_TITLES.records}>{node?.summary}</DialogFrame>;
}
