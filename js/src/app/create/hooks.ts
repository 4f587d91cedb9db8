import type { CreatePageCalls, CreatePageTraits } from "../../contract.gen";
import { widgetHooks } from "../../host/bridge";

/** Of widgets/create_page.py. */
export const { useTrait, useRpc } = widgetHooks<CreatePageTraits, CreatePageCalls>();
