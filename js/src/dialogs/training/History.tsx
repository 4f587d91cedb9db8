import type { TrainerInfo, TrainingRunRow } from "../../contract.gen";
import { Badge } from "../../ui/Badge";
import { Scroll } from "../../ui/Scroll";
import { ago, exact } from "../../ui/time";
import { baseModel, standing } from "./outcome";

interface Props {
  readonly runs: readonly TrainingRunRow[];
  readonly trainers: readonly TrainerInfo[];
  readonly shown: string;
  onShow(id: string): void;
}

/** Every run there was, the newest first; one is opened by its name. */
export function History({ runs, trainers, shown, onShow }: Props) {
  if (runs.length === 0) return null;
  const titles = new Map(trainers.map((one) => [one.name, one.title]));
  return (
    <section aria-labelledby="rft-training-history">
      <h3 id="rft-training-history" className="rft-section-title">
        History
      </h3>
      <Scroll label="Runs">
        <table className="rft-training-table">
          <thead>
            <tr>
              <th scope="col">Run</th>
              <th scope="col">Result</th>
              <th scope="col">Started</th>
              <th scope="col">Trainer</th>
              <th scope="col">Base model</th>
              <th scope="col">Epochs</th>
              <th scope="col">Grader</th>
              <th scope="col">Data</th>
              <th scope="col">In words</th>
            </tr>
          </thead>
          <tbody>
            {runs.map((run, index) => {
              const { words, tone } = standing(run);
              return (
                <tr key={run.id} aria-current={run.id === shown || undefined}>
                  <th scope="row">
                    <button
                      type="button"
                      className="rft-link"
                      title={run.id}
                      onClick={() => onShow(run.id)}
                    >
                      {`Run ${runs.length - index}`}
                    </button>
                  </th>
                  <td>
                    <Badge tone={tone}>{words}</Badge>
                  </td>
                  <td title={exact(run.created_at)}>{ago(run.created_at)}</td>
                  <td>{titles.get(run.trainer) ?? run.trainer}</td>
                  <td className="rft-training-model" title={run.base_model ?? undefined}>
                    {baseModel(run) || "–"}
                  </td>
                  <td className="rft-number">{run.n_epochs}</td>
                  <td title={`Version ${run.grader_version} of the grader`}>
                    {`v${run.grader_version}`}
                  </td>
                  <td className="rft-mono" title="Begin of the hash of the records it saw">
                    {run.data.slice(0, 7)}
                  </td>
                  <td className="rft-training-words" title={run.summary}>
                    {run.summary || "–"}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}
