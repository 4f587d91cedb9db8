// widgets/dialogs/training.py on the page.
import {
  DIALOG_TITLES,
  type TrainingDialogCalls,
  type TrainingDialogTraits,
} from "../../contract.gen";
import { useFollow, widgetHooks } from "../../host/bridge";
import { DialogFrame } from "../../ui/DialogFrame";

const { useTrait } = widgetHooks<TrainingDialogTraits, TrainingDialogCalls>();

export function TrainingDialogWidget() {
  useFollow();
  const node = useTrait("node");
  return <DialogFrame title={DIALOG_TITLES.training}>{node?.summary}</DialogFrame>;
}
