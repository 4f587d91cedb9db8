// What came of an import. Knows nothing of Jupyter.
import type { Imported } from "../../contract.gen";
import { count } from "../../ui/numbers";
import { Stat, Stats } from "../../ui/Stat";

export function Result({ result }: { readonly result: Imported }) {
  const records = result.invalid === 1 ? "record has" : "records have";
  return (
    <section className="rft-result" aria-label="Result" role="status">
      <h3 className="rft-section-title rft-wrap">
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
