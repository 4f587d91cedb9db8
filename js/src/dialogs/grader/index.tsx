// widgets/dialogs/grader.py on the page.
import { DIALOG_TITLES, type GraderDialogCalls, type GraderDialogTraits } from "../../contract.gen";
import { useFollow, widgetHooks } from "../../host/bridge";
import { DialogFrame } from "../../ui/DialogFrame";

const { useTrait } = widgetHooks<GraderDialogTraits, GraderDialogCalls>();

export function GraderDialogWidget() {
  useFollow();
  const node = useTrait("node");
  return <DialogFrame title={DIALOG_TITLES.grader}>{node?.summary}</DialogFrame>;
}
