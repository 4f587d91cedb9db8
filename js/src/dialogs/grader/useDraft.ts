// The draft on the page: what it was made from, and whether it was changed.
import { useCallback, useEffect, useRef, useState } from "react";
import type { GraderView } from "../../contract.gen";
import { asJson, type Draft, draftOf, type GraderType, isSame, typeOf } from "./draft";

export interface Drafting {
  /** Nothing while no way to judge is chosen. */
  readonly draft: Draft | null;
  readonly isDirty: boolean;
  /** Version that was saved elsewhere while this draft had unsaved changes. */
  readonly elsewhere: number | null;
  change(draft: Draft): void;
  /** Another type of grader: as it was when it was left, or one to start from. */
  choose(type: GraderType): void;
  /** Back to the version in use. */
  discard(): void;
  /** A draft was saved as this version. */
  saved(version: number, draft: Draft): void;
}

interface Base {
  readonly version: number;
  readonly draft: Draft;
}

export function useDraft(view: GraderView | null): Drafting {
  const [draft, setDraft] = useState<Draft | null>(null);
  const [base, setBase] = useState<Base | null>(null);
  const left = useRef(new Map<GraderType, Draft>());
  const savedAs = useRef<{ version: number; draft: Draft } | null>(null);

  const inUse = view?.versions.find((version) => version.in_use) ?? null;
  const isDirty = draft !== null && (base === null || !isSame(draft, base.draft));
  const latest = useRef({ draft, base, isDirty });
  latest.current = { draft, base, isDirty };

  useEffect(() => {
    if (!inUse || inUse.version === latest.current.base?.version) return;
    const next = draftOf(inUse);
    const { draft: before, isDirty: isChanged } = latest.current;
    const own = savedAs.current?.version === inUse.version ? savedAs.current.draft : null;
    if (!isChanged || before === own) {
      // As the kernel wrote it: without what means nothing, so that it counts as unchanged.
      setDraft(before?.text == null ? next : { ...next, text: asJson(next.grader) });
      setBase({ version: inUse.version, draft: next });
    } else if (own) setBase({ version: inUse.version, draft: next });
  }, [inUse]);

  const choose = useCallback(
    (type: GraderType) => {
      const before = latest.current.draft;
      const beforeType = before && typeOf(before.grader);
      if (before && beforeType) left.current.set(beforeType, before);
      const start = view?.starts.find((one) => one.type === type);
      const known = left.current.get(type);
      if (known) setDraft({ ...known, text: null });
      else if (start) {
        setDraft({ grader: start.grader, connection: before?.connection ?? null, text: null });
      }
    },
    [view],
  );
  const isBehind = base !== null && inUse !== null && inUse.version !== base.version;
  return {
    draft,
    isDirty,
    elsewhere: isDirty && isBehind ? inUse.version : null,
    change: setDraft,
    choose,
    discard: useCallback(() => {
      if (!inUse) setDraft(null);
      else {
        const next = draftOf(inUse);
        setDraft(next);
        setBase({ version: inUse.version, draft: next });
      }
    }, [inUse]),
    saved: useCallback((version: number, which: Draft) => {
      const { base: before, draft: now } = latest.current;
      savedAs.current = { version, draft: which };
      // It meant the same as what was saved before: no other version comes.
      if (before?.version === version && now === which) setDraft(before.draft);
    }, []),
  };
}
