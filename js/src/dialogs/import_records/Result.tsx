// What came of an import. Knows nothing of Jupyter.
import { useEffect, useRef } from "react";
import type { Imported } from "../../contract.gen";
import { count } from "../../ui/numbers";
import { Stat, Stats } from "../../ui/Stat";

interface Props {
  readonly result: Imported;
  /** Whether the button that was pressed for it is gone: the result gets its focus. */
  readonly takesFocus: boolean;
}

export function Result({ result, takesFocus }: Props) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (takesFocus) title.current?.focus();
  }, [takesFocus]);
  const records = result.invalid === 1 ? "record has" : "records have";
  return (
    <section className="rft-result" aria-label="Result" role="status">
      <h3 ref={title} tabIndex={-1} className="rft-section-title rft-wrap">
        {`${result.name} was imported${result.mode === "replace" ? " in place of all records" : ""}.`}
      </h3>
      <Stats>
        <Stat label="Imported" value={count(result.imported)} />
        <Stat label="Valid" value={count(result.valid)} />
        <Stat label="Invalid" value={count(result.invalid)} />
        <Stat label="Duplicates" value={count(result.duplicates)} note="among the invalid" />
        <Stat label="Refused lines" value={count(result.refused)} />
      </Stats>
      {result.invalid > 0 && (
        <p className="rft-note">
          {`${count(result.invalid)} ${records} validation errors. These are kept, and excluded from topics, dry run and training.`}
        </p>
      )}
    </section>
  );
}
