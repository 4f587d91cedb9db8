// widgets/dialogs/topics.py on the page.
import { DIALOG_TITLES, type TopicsDialogCalls, type TopicsDialogTraits } from "../../contract.gen";
import { useFollow, widgetHooks } from "../../host/bridge";
import { DialogFrame } from "../../ui/DialogFrame";

const { useTrait } = widgetHooks<TopicsDialogTraits, TopicsDialogCalls>();

export function TopicsDialogWidget() {
  useFollow();
  const node = useTrait("node");
  return <DialogFrame title={DIALOG_TITLES.topics}>{node?.summary}</DialogFrame>;
}
