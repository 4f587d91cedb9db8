// widgets/records_grid.py on the page.
import type { RecordsGridCalls, RecordsGridTraits } from "../contract.gen";
import { useFollow, widgetHooks } from "../host/bridge";
import { DialogFrame } from "../ui/DialogFrame";

const { useTrait } = widgetHooks<RecordsGridTraits, RecordsGridCalls>();

export function RecordsGridWidget() {
  useFollow();
  const name = useTrait("name");
  return <DialogFrame title="Records">{name}</DialogFrame>;
}
