// widgets/dialogs/dry_run.py on the page.
import { DIALOG_TITLES, type DryRunDialogCalls, type DryRunDialogTraits } from "../../contract.gen";
import { useFollow, widgetHooks } from "../../host/bridge";
import { DialogFrame } from "../../ui/DialogFrame";

const { useTrait } = widgetHooks<DryRunDialogTraits, DryRunDialogCalls>();

export function DryRunDialogWidget() {
  useFollow();
  const node = useTrait("node");
  return <DialogFrame title={DIALOG_TITLES["dry-run"]}>{node?.summary}</DialogFrame>;
}
