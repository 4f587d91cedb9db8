import { type RefObject, useEffect, useRef } from "react";

/** A fold that opens when there is a reason to, and is the reader's own else. */
export function useUnfolded(hasReason: boolean): RefObject<HTMLDetailsElement | null> {
  const fold = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (hasReason && fold.current) fold.current.open = true;
  }, [hasReason]);
  return fold;
}
