import { useEffect, useState } from "react";

interface Settled<V> {
  readonly value: V;
  /** Grows with every value that settled. */
  readonly turn: number;
}

/** A value that has not changed for a while. */
export function useSettled<V>(value: V, ms: number): Settled<V> {
  const [settled, setSettled] = useState<Settled<V>>({ value, turn: 0 });
  useEffect(() => {
    const timer = setTimeout(() => {
      setSettled((before) =>
        Object.is(before.value, value) ? before : { value, turn: before.turn + 1 },
      );
    }, ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
