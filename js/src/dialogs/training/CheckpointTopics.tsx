import { useState } from "react";
import type { CheckpointComparison } from "../../contract.gen";
import { ChoiceField } from "../../ui/Field";
import { count } from "../../ui/numbers";
import { NO_TOPIC, reward } from "../../ui/rewards";
import { Scroll } from "../../ui/Scroll";
import { Joint } from "./Joint";
import { stepWords } from "./outcome";

/** A checkpoint beside the model from before, topic by topic. */
export function CheckpointTopics({ comparison }: { readonly comparison: CheckpointComparison }) {
  const { topics, best_step, last_step } = comparison;
  const steps = [...new Set(topics.map((one) => one.step))].sort((a, b) => a - b);
  const [chosen, setChosen] = useState(best_step ?? last_step);
  if (steps.length === 0) return null;
  const step = steps.includes(chosen) ? chosen : (steps.at(-1) ?? chosen);
  return (
    <details className="rft-training-more">
      <summary>By topic</summary>
      <div className="rft-training-choices">
        <ChoiceField
          label="Checkpoint"
          value={String(step)}
          options={steps.map((one) => [String(one), stepWords(one)] as const)}
          onChange={(one) => setChosen(Number(one))}
        />
      </div>
      <Scroll label="Checkpoint by topic">
        <table className="rft-training-table">
          <thead>
            <tr>
              <th scope="col">Topic</th>
              <th scope="col" className="rft-number">
                Prompts
              </th>
              <th scope="col" className="rft-number">
                Before
              </th>
              <th scope="col" className="rft-number">
                After
              </th>
              <th scope="col">Difference</th>
            </tr>
          </thead>
          <tbody>
            {topics
              .filter((one) => one.step === step)
              .map(({ topic, difference }) => (
                <tr key={topic ?? ""}>
                  <th scope="row">{topic ?? NO_TOPIC}</th>
                  <td className="rft-number">{count(difference.n)}</td>
                  <td className="rft-number">{reward(difference.before_mean)}</td>
                  <td className="rft-number">{reward(difference.after_mean)}</td>
                  <td>
                    <Joint difference={difference} />
                  </td>
                </tr>
              ))}
          </tbody>
        </table>
      </Scroll>
    </details>
  );
}
