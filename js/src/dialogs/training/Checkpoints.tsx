import type { Checkpoint, TrainingRunView } from "../../contract.gen";
import type { Action } from "../../host/loaded";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { count } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { reward } from "../../ui/rewards";
import { Scroll } from "../../ui/Scroll";
import { stepWords } from "./outcome";

interface Props {
  readonly view: TrainingRunView;
  readonly choose: Action<[step: number | null]>;
}

/** The model after some of the steps, and which of them is served. */
export function Checkpoints({ view, choose }: Props) {
  const { checkpoints, served_step: served, report } = view;
  if (checkpoints.length === 0 || !report) return null;
  const hasSelection = checkpoints.some((one) => one.selection_reward !== null);
  const isChosen = served !== null && served !== report.served_step;
  return (
    <details className="rft-training-more">
      <summary>{`Checkpoints (${count(checkpoints.length)})`}</summary>
      {choose.problem && <ProblemNote problem={choose.problem} />}
      {isChosen && (
        <p className="rft-note">
          {`Step ${count(served)} is served because somebody chose it; the run chose ${stepWords(report.served_step)}. What was measured above is of the run's choice. `}
          <button type="button" className="rft-link" onClick={() => void choose.run(null)}>
            Serve the run's choice
          </button>
        </p>
      )}
      <Scroll label="Checkpoints">
        <table className="rft-training-table">
          <thead>
            <tr>
              <th scope="col">Step</th>
              {hasSelection && (
                <th scope="col" className="rft-number">
                  Selection reward
                </th>
              )}
              <th scope="col" className="rft-number">
                Validation reward
              </th>
              <th scope="col">Model</th>
              <th scope="col">Served</th>
            </tr>
          </thead>
          <tbody>
            {checkpoints.map((one) => (
              <tr key={one.step}>
                <th scope="row">{stepWords(one.step)}</th>
                {hasSelection && <td className="rft-number">{reward(one.selection_reward)}</td>}
                <td className="rft-number">{reward(one.valid_reward)}</td>
                <td className="rft-mono">{one.model || "–"}</td>
                <td>
                  <Served checkpoint={one} isServed={one.step === served} choose={choose} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <p className="rft-note">
        Deployments that are at work keep the model they were started with.
      </p>
    </details>
  );
}

interface ServedProps extends Pick<Props, "choose"> {
  readonly checkpoint: Checkpoint;
  readonly isServed: boolean;
}

function Served({ checkpoint, isServed, choose }: ServedProps) {
  if (isServed) return <Badge tone="ok">Served</Badge>;
  return (
    <Button
      look="ghost"
      aria-label={`Serve the checkpoint of step ${checkpoint.step}`}
      disabled={choose.isBusy}
      onClick={() => void choose.run(checkpoint.step)}
    >
      Serve This One
    </Button>
  );
}
