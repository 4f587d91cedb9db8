// widgets/dialogs/import_topics.py on the page.
import {
  DIALOG_TITLES,
  type ImportTopicsDialogCalls,
  type ImportTopicsDialogTraits,
} from "../../contract.gen";
import { useFollow, widgetHooks } from "../../host/bridge";
import { DialogFrame } from "../../ui/DialogFrame";

const { useTrait } = widgetHooks<ImportTopicsDialogTraits, ImportTopicsDialogCalls>();

export function ImportTopicsDialogWidget() {
  useFollow();
  const node = useTrait("node");
  return <DialogFrame title={DIALOG_TITLES["import-topics"]}>{node?.summary}</DialogFrame>;
}
