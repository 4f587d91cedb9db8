// widgets/dialogs/generate.py on the page.
import {
  DIALOG_TITLES,
  type GenerateDialogCalls,
  type GenerateDialogTraits,
} from "../../contract.gen";
import { useFollow, widgetHooks } from "../../host/bridge";
import { DialogFrame } from "../../ui/DialogFrame";

const { useTrait } = widgetHooks<GenerateDialogTraits, GenerateDialogCalls>();

export function GenerateDialogWidget() {
  useFollow();
  const node = useTrait("node");
  return <DialogFrame title={DIALOG_TITLES.generate}>{node?.summary}</DialogFrame>;
}
