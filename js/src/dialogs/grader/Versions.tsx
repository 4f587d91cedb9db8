// Every grader that was saved, with ways back.
import type { GraderVersionView } from "../../contract.gen";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Empty } from "../../ui/Empty";
import { ago, exact } from "../../ui/time";
import { TYPE_TITLES, textOf, typeOf } from "./draft";

interface Props {
  readonly versions: readonly GraderVersionView[];
  readonly isBusy: boolean;
  readonly canCompare: boolean;
  onCompare(version: number): void;
  onRestore(version: GraderVersionView): void;
}

export function Versions({ versions, isBusy, canCompare, onCompare, onRestore }: Props) {
  if (versions.length === 0) {
    return <Empty title="No version yet">Every grader that you save is kept here.</Empty>;
  }
  return (
    <table className="rft-grader-table">
      <thead>
        <tr>
          <th scope="col">Version</th>
          <th scope="col">Grader</th>
          <th scope="col">Hash</th>
          <th scope="col">Saved</th>
          <th scope="col">
            <span className="rft-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {versions.map((one) => {
          const type = typeOf(one.grader);
          return (
            <tr key={one.version} data-version={one.version}>
              <th scope="row">{one.version}</th>
              <td>
                {textOf(one.grader.name)}{" "}
                <span className="rft-note">{type && TYPE_TITLES[type]}</span>
              </td>
              <td className="rft-mono" title={one.hash}>
                {one.hash.slice(0, 10)}
              </td>
              <td title={exact(one.created_at)}>{ago(one.created_at)}</td>
              <td className="rft-grader-acts">
                {one.in_use && <Badge tone="ok">In use</Badge>}
                <Button
                  disabled={!canCompare || isBusy}
                  aria-label={`Compare with version ${one.version}`}
                  onClick={() => onCompare(one.version)}
                >
                  Compare
                </Button>
                <Button
                  disabled={one.in_use || isBusy}
                  aria-label={`Restore version ${one.version}`}
                  onClick={() => onRestore(one)}
                >
                  Restore
                </Button>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
