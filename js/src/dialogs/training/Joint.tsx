import type { JointDifference } from "../../contract.gen";
import { Badge } from "../../ui/Badge";
import { signed, signedBounds } from "../../ui/rewards";
import { OUTCOME_TONES, OUTCOME_WORDS } from "./outcome";

/** One of several differences that are judged together: how large, how sure, and the verdict. */
export function Joint({ difference: one }: { readonly difference: JointDifference | null }) {
  if (!one) return "–";
  return (
    <span className="rft-training-joint">
      <span className="rft-number">{signed(one.difference.estimate)}</span>
      <small>{signedBounds(one.difference) || "too few"}</small>
      <Badge tone={OUTCOME_TONES[one.verdict]}>{OUTCOME_WORDS[one.verdict]}</Badge>
    </span>
  );
}
