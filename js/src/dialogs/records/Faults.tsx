// What is wrong with the invalid records, by code. Knows nothing of Jupyter.
import { ChevronRight } from "lucide-react";
import type { Fault } from "../../contract.gen";
import { count, counted, percent } from "../../ui/numbers";

interface Props {
  readonly faults: readonly Fault[];
  readonly total: number;
  onFault(fault: Fault): void;
}

export function Faults({ faults, total, onFault }: Props) {
  if (total === 0) return null;
  return (
    <section aria-label="Errors by code">
      <h3 className="rft-section-title">Errors by code</h3>
      {faults.length === 0 && <p className="rft-note">Every record is valid.</p>}
      <ul className="rft-faults">
        {faults.map((fault) => (
          <li key={fault.code}>
            <button type="button" className="rft-fault" onClick={() => onFault(fault)}>
              <span className="rft-fault-words">
                <strong>{fault.words}</strong>{" "}
                <span className="rft-mono rft-note">{fault.code}</span>{" "}
                <span className="rft-note">{fault.advice}</span>
              </span>{" "}
              <span className="rft-number rft-fault-count" title={counted(fault.count, "record")}>
                {count(fault.count)}
              </span>{" "}
              <span className="rft-number rft-note rft-fault-share">
                {percent(fault.count / total)}
              </span>
              <ChevronRight size={16} aria-hidden />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
