// widgets/dialogs/deploy.py on the page.
import { type DeployDialogCalls, type DeployDialogTraits, DIALOG_TITLES } from "../../contract.gen";
import { useFollow, widgetHooks } from "../../host/bridge";
import { DialogFrame } from "../../ui/DialogFrame";

const { useTrait } = widgetHooks<DeployDialogTraits, DeployDialogCalls>();

export function DeployDialogWidget() {
  useFollow();
  const node = useTrait("node");
  return <DialogFrame title={DIALOG_TITLES.deploy}>{node?.summary}</DialogFrame>;
}
