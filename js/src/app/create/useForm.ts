// Name and objective of the new dataset: suggested, until somebody types.
import { useState } from "react";
import type { DetectedPattern } from "../../contract.gen";

export interface Typed {
  readonly name: string | null;
  readonly objective: string | null;
}

export const NOTHING_TYPED: Typed = { name: null, objective: null };

/** What stands in the fields: what was typed, an emptied field included; else what is suggested. */
export function fieldsOf(
  typed: Typed,
  pattern: DetectedPattern | null,
): { readonly name: string; readonly objective: string } {
  return {
    name: typed.name ?? pattern?.suggested_name ?? "",
    objective: typed.objective ?? pattern?.suggested_objective ?? "",
  };
}

export function useForm(pattern: DetectedPattern | null) {
  const [typed, setTyped] = useState<Typed>(NOTHING_TYPED);
  const fields = fieldsOf(typed, pattern);
  return {
    ...fields,
    isSuggested: typed.name === null && fields.name !== "",
    isComplete: fields.name.trim() !== "" && fields.objective.trim() !== "",
    setName: (name: string) => setTyped((before) => ({ ...before, name })),
    setObjective: (objective: string) => setTyped((before) => ({ ...before, objective })),
  };
}
