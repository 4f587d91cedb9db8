import { Check, Minus } from "lucide-react";
import type { TrainerInfo } from "../../contract.gen";

interface Props {
  readonly trainer: TrainerInfo;
}

/** What a trainer supports, point by point. */
export function Supports({ trainer }: Props) {
  return (
    <details className="rft-training-more">
      <summary>
        What it supports<span className="rft-hidden">{`: ${trainer.title}`}</span>
      </summary>
      <ul className="rft-training-supports">
        {points(trainer).map(([isSo, words]) => (
          <li key={words} className={isSo ? undefined : "rft-training-lacks"}>
            {isSo ? <Check size={13} aria-hidden /> : <Minus size={13} aria-hidden />}
            <span>{words}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function points({ capabilities: can }: TrainerInfo): readonly (readonly [boolean, string])[] {
  const isHere = can.grader_runs === "here";
  const kinds = can.graders.map((kind) => kind.replaceAll("_", " ")).join(", ");
  return [
    [true, `${isHere ? "Grades on this machine" : "Grades at the service"}: ${kinds}.`],
    [can.pauses, can.pauses ? "A run can be paused and resumed." : "A run cannot be paused."],
    [
      can.survives_restart,
      can.survives_restart
        ? "A run goes on after a restart of this machine."
        : "A run that is cut off has to begin again.",
    ],
    [
      can.rollouts,
      can.rollouts
        ? "The answers it learns from can be read, with their rewards."
        : "The answers it learns from cannot be read.",
    ],
    [
      can.checkpoints,
      can.checkpoints
        ? "Keeps checkpoints, of which any can be served."
        : "Keeps the last model alone.",
    ],
    [
      can.measures,
      can.measures
        ? "The result is measured here when the run ends."
        : "The result is measured only once it is deployed.",
    ],
    [can.tools, can.tools ? "The model may call the prompt's tools." : "Tools are left out."],
    [true, `Served: ${can.serving}`],
  ];
}
