// The selection, and how many records it has now.
import { useCallback, useMemo, useRef, useState } from "react";
import type { RecordFilter } from "../contract.gen";
import { useLoaded } from "../host/loaded";
import type { GridApi } from "./api";
import {
  asSelection,
  isNothing,
  isPicked,
  keyOf,
  MOST_IDS,
  NOTHING,
  type Picked,
  pick,
  pickAll,
  unpick,
} from "./picked";
import type { Row } from "./rows";
import type { View } from "./useView";

export interface Selecting {
  readonly picked: Picked;
  /** `undefined` where nothing is selected, `null` while it is not known. */
  readonly size: number | null | undefined;
  isPicked(row: Row): boolean;
  /** Select a row or not; with `isRange` all rows from the last one to it. */
  toggle(index: number, isRange: boolean): Promise<void>;
  all(where: RecordFilter): void;
  clear(): void;
}

interface Options {
  readonly api: GridApi;
  readonly view: View;
  readonly where: RecordFilter;
  readonly revision: number;
  readonly picked: Picked;
  setPicked(change: (before: Picked) => Picked): void;
  onTooMany(): void;
}

export function useSelecting(options: Options): Selecting {
  const { api, view, where, revision, picked, setPicked } = options;
  const from = useRef<number | null>(null);
  const latest = useRef(options);
  latest.current = options;
  const chosenKey = keyOf(picked.where);
  const isSame = chosenKey === keyOf(where);
  const isKnown = chosenKey === keyOf(view.chosen);
  const isRowPicked = useCallback(
    (row: Row) => isPicked(picked, row.id, isSame || (isKnown && row.is_chosen)),
    [picked, isSame, isKnown],
  );
  const isPickedNow = useRef(isRowPicked);
  isPickedNow.current = isRowPicked;

  const toggle = useCallback(
    async (index: number, isRange: boolean) => {
      const { rows, row: rowOf } = latest.current.view;
      const row = rows?.get(index) ?? (await rowOf(index));
      if (!row) return;
      const start = from.current;
      from.current = index;
      if (!isRange || start === null || !rows) {
        const change = isPickedNow.current(row) ? unpick : pick;
        setPicked((before) => change(before, [row.id]));
        return;
      }
      const [first, last] = start < index ? [start, index] : [index, start];
      if (latest.current.picked.ids.size + last - first >= MOST_IDS) {
        latest.current.onTooMany();
        return;
      }
      const ids = await rows.ids(first, last).catch(() => []);
      setPicked((before) => pick(before, ids));
    },
    [setPicked],
  );

  const none = isNothing(picked);
  const subject = useMemo(
    () => `${chosenKey}|${[...picked.ids].join()}|${[...picked.except].join()}`,
    [chosenKey, picked],
  );
  const counted = useLoaded<number>(
    async (signal) => (none ? 0 : (await api.size(asSelection(picked), signal)).records),
    { revision, subject },
  );
  const guess = picked.where === null ? picked.ids.size : null;
  const all = useCallback(
    (filter: RecordFilter) => {
      from.current = null;
      setPicked((before) => pickAll(before, filter));
    },
    [setPicked],
  );
  const clear = useCallback(() => {
    from.current = null;
    setPicked(() => NOTHING);
  }, [setPicked]);
  return {
    picked,
    size: none ? undefined : (counted.value ?? guess),
    isPicked: isRowPicked,
    toggle,
    all,
    clear,
  };
}

/** State of a selection; apart, because the view has to know the filter. */
export function usePicked() {
  return useState<Picked>(NOTHING);
}
