import type { Checkpoint } from "../../contract.gen";
import { Badge } from "../../ui/Badge";
import { count } from "../../ui/numbers";
import { reward } from "../../ui/rewards";
import { Scroll } from "../../ui/Scroll";

interface Props {
  readonly checkpoints: readonly Checkpoint[];
  /** Step of the one that is served; 0 is the reference. */
  readonly served: number;
}

/** The model after some of the steps; the selection part of the training records chose one. */
export function Checkpoints({ checkpoints, served }: Props) {
  if (checkpoints.length === 0) return null;
  return (
    <details className="rft-training-more">
      <summary>{`Checkpoints (${count(checkpoints.length)})`}</summary>
      <Scroll label="Checkpoints">
        <table className="rft-training-table">
          <thead>
            <tr>
              <th scope="col">Step</th>
              <th scope="col" className="rft-number">
                Selection reward
              </th>
              <th scope="col" className="rft-number">
                Validation reward
              </th>
              <th scope="col">Served</th>
            </tr>
          </thead>
          <tbody>
            {checkpoints.map((one) => (
              <tr key={one.step}>
                <th scope="row">{one.step === 0 ? "0 (reference)" : count(one.step)}</th>
                <td className="rft-number">{reward(one.selection_reward)}</td>
                <td className="rft-number">{reward(one.valid_reward)}</td>
                <td>{one.step === served ? <Badge tone="ok">Served</Badge> : "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </details>
  );
}
