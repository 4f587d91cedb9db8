import type { DeploymentView } from "../../contract.gen";
import { count, counted } from "../../ui/numbers";
import { bounds, reward } from "../../ui/rewards";
import { Scroll } from "../../ui/Scroll";
import { milliseconds } from "./ModelChoice";

interface Props {
  readonly deployment: DeploymentView;
}

const ARM_TITLES: ReadonlyMap<string, string> = new Map([
  ["tuned", "Trained"],
  ["base", "Base"],
]);

/** What went through each arm, and what the answers earned once that was measured. */
export function Traffic({ deployment }: Props) {
  const { arms, outcome } = deployment;
  if (arms.length === 0) return <p className="rft-note">No request yet.</p>;
  const measured = new Map(
    outcome ? [outcome.tuned, outcome.base].map((one) => [one.arm, one]) : [],
  );
  const failed = outcome ? outcome.tuned.failed_gradings + outcome.base.failed_gradings : 0;
  return (
    <div className="rft-deploy-traffic">
      <Scroll label="Requests by arm">
        <table className="rft-training-table">
          <thead>
            <tr>
              <th scope="col">Arm</th>
              <th scope="col" className="rft-number">
                Requests
              </th>
              <th scope="col" className="rft-number">
                Failed
              </th>
              <th scope="col" className="rft-number">
                Mean time
              </th>
              {outcome && (
                <>
                  <th scope="col" className="rft-number">
                    Reward
                  </th>
                  <th scope="col">95 % interval</th>
                  <th scope="col" className="rft-number">
                    Graded
                  </th>
                </>
              )}
            </tr>
          </thead>
          <tbody>
            {arms.map((one) => {
              const worth = measured.get(one.arm);
              return (
                <tr key={one.arm}>
                  <th scope="row">{ARM_TITLES.get(one.arm) ?? one.arm}</th>
                  <td className="rft-number">{count(one.requests)}</td>
                  <td className="rft-number">{count(one.failed)}</td>
                  <td className="rft-number">{milliseconds(one.mean_duration_s)}</td>
                  {outcome && (
                    <>
                      <td className="rft-number">{reward(worth?.reward?.estimate ?? null)}</td>
                      <td>{worth?.reward ? bounds(worth.reward) || "too few" : "–"}</td>
                      <td className="rft-number">{count(worth?.graded ?? 0)}</td>
                    </>
                  )}
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
      {outcome && (
        <p>
          <strong>{outcome.sentence}</strong>
          {failed > 0 && ` ${counted(failed, "grading")} failed, and count as nothing.`}
        </p>
      )}
    </div>
  );
}
