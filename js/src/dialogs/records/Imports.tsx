// Recent imports, each with the errors of its lines. Knows nothing of Jupyter.
import { Fragment, type ReactNode, useState } from "react";
import type { ImportInfo } from "../../contract.gen";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { count, counted } from "../../ui/numbers";
import { ago, exact } from "../../ui/time";

interface Props {
  readonly imports: readonly ImportInfo[];
  /** Of all imports, where these are the newest. */
  readonly total: number;
  /** What is wrong with the lines of one, when somebody wants to see it. */
  renderErrors(id: string): ReactNode;
}

const COLUMNS = ["Imported", "Valid", "Invalid", "Duplicates", "Refused"] as const;

export function Imports({ imports, total, renderErrors }: Props) {
  const [opened, setOpened] = useState<string | null>(null);
  if (imports.length === 0) return null;
  return (
    <section aria-label="Imports so far">
      <h3 className="rft-section-title">
        {total > imports.length
          ? `The last ${imports.length} of ${count(total)} imports`
          : "Imports so far"}
      </h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
      <section className="rft-lines rft-imports-frame" aria-label="Table of imports" tabIndex={0}>
        <table className="rft-lines-table rft-imports">
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">From</th>
              {COLUMNS.map((name) => (
                <th key={name} scope="col" className="rft-number">
                  {name}
                </th>
              ))}
              <th scope="col">
                <span className="rft-hidden">Errors</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {imports.map((one) => (
              <Fragment key={one.id}>
                <Row
                  info={one}
                  isOpen={opened === one.id}
                  onToggle={() => setOpened(opened === one.id ? null : one.id)}
                />
                {opened === one.id && (
                  <tr>
                    <td colSpan={COLUMNS.length + 3} className="rft-import-errors">
                      {renderErrors(one.id)}
                    </td>
                  </tr>
                )}
              </Fragment>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

interface RowProps {
  readonly info: ImportInfo;
  readonly isOpen: boolean;
  onToggle(): void;
}

function Row({ info, isOpen, onToggle }: RowProps) {
  const faulty = info.invalid + info.refused;
  return (
    <tr className={info.current ? undefined : "rft-import-past"}>
      <td>
        <time dateTime={info.started_at} title={exact(info.started_at)}>
          {ago(info.started_at)}
        </time>
      </td>
      <td className="rft-wrap">
        {info.source} {info.mode === "replace" && <Badge>replaced all</Badge>}{" "}
        {!info.finished && <Badge tone="warn">not finished</Badge>}{" "}
        {!info.current && info.finished && <Badge>replaced since</Badge>}
      </td>
      {[info.imported, info.valid, info.invalid, info.duplicates, info.refused].map((n, index) => (
        <td key={COLUMNS[index]} className="rft-number">
          {count(n)}
        </td>
      ))}
      <td className="rft-number">
        {faulty > 0 && (
          <Button
            aria-expanded={isOpen}
            aria-label={`Errors of ${info.source}: ${counted(faulty, "line")}`}
            onClick={onToggle}
          >
            {isOpen ? "Hide" : "Errors"}
          </Button>
        )}
      </td>
    </tr>
  );
}
