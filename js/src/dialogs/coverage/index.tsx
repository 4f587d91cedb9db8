// widgets/dialogs/coverage.py on the page.
import {
  type CoverageDialogCalls,
  type CoverageDialogTraits,
  DIALOG_TITLES,
} from "../../contract.gen";
import { useFollow, widgetHooks } from "../../host/bridge";
import { DialogFrame } from "../../ui/DialogFrame";

const { useTrait } = widgetHooks<CoverageDialogTraits, CoverageDialogCalls>();

export function CoverageDialogWidget() {
  useFollow();
  const node = useTrait("node");
  return <DialogFrame title={DIALOG_TITLES.coverage}>{node?.summary}</DialogFrame>;
}
