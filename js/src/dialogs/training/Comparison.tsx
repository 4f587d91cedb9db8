// What checkpoints are worth beside each other, and what follows.
import { useState } from "react";
import type { CheckpointComparison, CheckpointMeasure } from "../../contract.gen";
import type { Action } from "../../host/loaded";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { ChoiceField } from "../../ui/Field";
import { count, counted } from "../../ui/numbers";
import { bounds, reward } from "../../ui/rewards";
import { Scroll } from "../../ui/Scroll";
import { CheckpointTopics } from "./CheckpointTopics";
import { Joint } from "./Joint";
import { stepWords } from "./outcome";

interface Props {
  readonly comparison: CheckpointComparison;
  readonly served: number | null;
  readonly choose: Action<[step: number | null]>;
}

export function Comparison({ comparison, served, choose }: Props) {
  const { checkpoints, suggested_step: suggested, prompts, length_unit } = comparison;
  const hasCost = checkpoints.some((one) => one.cost_micro_usd);
  return (
    <section aria-label="Comparison of checkpoints" className="rft-training-comparison">
      <div className={`rft-training-outcome rft-tone-${suggested === null ? "idle" : "ok"}`}>
        <strong>{comparison.sentence}</strong>
        {comparison.notes.map((note) => (
          <p key={note} className="rft-note">
            {note}
          </p>
        ))}
        {suggested !== null && suggested !== served && (
          <Button disabled={choose.isBusy} onClick={() => void choose.run(suggested)}>
            {`Serve Step ${count(suggested)}`}
          </Button>
        )}
      </div>
      <Scroll label="Checkpoints beside each other">
        <table className="rft-training-table">
          <thead>
            <tr>
              <th scope="col">Checkpoint</th>
              <th scope="col" className="rft-number">
                Reward
              </th>
              <th scope="col">Against before training</th>
              <th scope="col">Against the best</th>
              <th scope="col" className="rft-number">{`Length, ${length_unit}`}</th>
              <th scope="col" className="rft-number">
                Time
              </th>
              {hasCost && (
                <th scope="col" className="rft-number">
                  1,000 answers
                </th>
              )}
              <th scope="col">Left out</th>
            </tr>
          </thead>
          <tbody>
            {checkpoints.map((one) => (
              <tr key={one.step}>
                <th scope="row">
                  {stepWords(one.step)} {one.step === served && <Badge tone="ok">Served</Badge>}
                </th>
                <td className="rft-number">
                  {reward(one.reward?.estimate ?? null)}{" "}
                  <small>{one.reward ? bounds(one.reward) : ""}</small>
                </td>
                <td>
                  <Joint difference={one.against_reference} />
                </td>
                <td>
                  <Joint difference={one.against_best} />
                </td>
                <td className="rft-number">
                  {one.length ? count(Math.round(one.length.estimate)) : "–"}
                </td>
                <td className="rft-number">
                  {one.seconds === null ? "–" : `${Number(one.seconds.toPrecision(2))} s`}
                </td>
                {hasCost && <td className="rft-number">{dollars(one.cost_micro_usd)}</td>}
                <td>{leftOut(one)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <p className="rft-note">
        {`On ${counted(prompts, "validation prompt")}, by version ${comparison.grader_version} of the grader; brackets are ${Math.round(comparison.level * 100)} % intervals.`}
        {comparison.left_out.length > 0 &&
          ` Not compared: steps ${comparison.left_out.map(count).join(", ")}.`}
      </p>
      <Probes checkpoints={checkpoints} />
      <CheckpointTopics comparison={comparison} />
    </section>
  );
}

/** What the answers look like, checkpoint by checkpoint; the notes name what calls for a look. */
function Probes({ checkpoints }: { readonly checkpoints: readonly CheckpointMeasure[] }) {
  const [chosen, setChosen] = useState(checkpoints.at(-1)?.step ?? 0);
  const flagged = checkpoints.flatMap((one) => one.probes.filter((probe) => probe.flagged)).length;
  const shown = checkpoints.find((one) => one.step === chosen);
  if (checkpoints.every((one) => one.probes.length === 0)) return null;
  return (
    <details className="rft-training-more">
      <summary>
        {flagged > 0
          ? `Signs in the answers (${flagged} to look at)`
          : "Signs in the answers: none to look at"}
      </summary>
      <div className="rft-training-choices">
        <ChoiceField
          label="Checkpoint"
          value={String(chosen)}
          options={checkpoints.map(({ step }) => [String(step), stepWords(step)] as const)}
          onChange={(step) => setChosen(Number(step))}
        />
      </div>
      <ul className="rft-training-signs">
        {shown?.probes.map((one) => (
          <li key={one.name}>
            {one.flagged && <Badge tone="warn">Look</Badge>} {one.sentence}
          </li>
        ))}
      </ul>
    </details>
  );
}

function leftOut({ no_answer, failed_gradings, empty, refusals }: CheckpointMeasure): string {
  const parts: readonly (readonly [number, string])[] = [
    [no_answer, "without an answer"],
    [failed_gradings, "failed to grade"],
    [empty, "empty"],
    [refusals, "refused"],
  ];
  const there = parts.filter(([number]) => number > 0);
  return there.map(([number, words]) => `${count(number)} ${words}`).join(", ") || "–";
}

/** Price of a thousand answers, of millionths of a dollar for one. */
const dollars = (microUsd: number | null): string =>
  microUsd === null
    ? "Unknown"
    : (microUsd / 1000).toLocaleString("en-US", { style: "currency", currency: "USD" });
