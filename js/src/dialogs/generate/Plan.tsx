// What generating would come to. Knows nothing of Jupyter.
import { BeforeAfter, share } from "../../charts";
import type { GenerationPlan, StrategyChoice } from "../../contract.gen";
import { count, counted, percent } from "../../ui/numbers";
import { Stat, Stats } from "../../ui/Stat";
import { minutesWords, money, pastErrorWords } from "../../ui/spending";
import { score, strategyName } from "./words";

interface Props {
  readonly plan: GenerationPlan;
  readonly strategies: readonly StrategyChoice[];
}

export function Plan({ plan, strategies }: Props) {
  const used = new Set(plan.topics.map((one) => one.strategy));
  const { estimate, config } = plan;
  if (plan.wanted === 0) return <p className="rft-note">{nothing(plan)}</p>;
  return (
    <>
      <Stats>
        <Stat
          label="To generate"
          value={count(plan.total)}
          note={`${percent(plan.synthetic_share)} of the dataset afterwards`}
        />
        <Stat
          label="Balance"
          value={`${score(plan.balance_before)} → ${score(plan.balance_after)}`}
          note="when all are accepted"
        />
        <Stat
          label="Tokens, about"
          value={count(plan.input_tokens + plan.output_tokens)}
          note={`in ${counted(plan.calls, "call")}`}
        />
        <Stat
          label="Cost, about"
          value={estimate ? money(estimate.cost_micro_usd) : "–"}
          note={costNote(plan)}
        />
      </Stats>
      {estimate && pastErrorWords(estimate) && (
        <p className="rft-note">{pastErrorWords(estimate)}</p>
      )}
      {plan.total < plan.wanted && (
        <p className="rft-note" role="status">
          {`${counted(plan.wanted, "record")} would be needed; generated records may be at most ${percent(config.max_synthetic_ratio)} of the dataset, which leaves room for ${count(plan.room)}.`}
        </p>
      )}
      <BeforeAfter
        rows={plan.topics.map((one) => ({
          topic: one.topic,
          before: one.current,
          after: one.current + one.to_generate,
          target: one.current + one.wanted,
        }))}
      />
      <table className="rft-table rft-generate-plan">
        <thead>
          <tr>
            <th scope="col">Topic</th>
            <th scope="col">Now</th>
            <th scope="col">Target</th>
            <th scope="col">Wanted</th>
            <th scope="col">To generate</th>
            <th scope="col">Strategy</th>
          </tr>
        </thead>
        <tbody>
          {plan.topics.map((one) => (
            <tr key={one.topic}>
              <th scope="row">{one.topic}</th>
              <td>{count(one.current)}</td>
              <td>{share(one.target_percentage / 100)}</td>
              <td>{count(one.wanted)}</td>
              <td>{count(one.to_generate)}</td>
              <td>{strategyName(one.strategy)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <dl className="rft-generate-strategies">
        {strategies
          .filter(({ name }) => used.has(name))
          .map(({ name, words }) => (
            <div key={name}>
              <dt>{strategyName(name)}</dt>
              <dd>{words}</dd>
            </div>
          ))}
      </dl>
    </>
  );
}

function costNote({ estimate }: GenerationPlan): string {
  if (!estimate) return "choose a model";
  if (estimate.cost_micro_usd === null) return "no price is known";
  return estimate.minutes === null ? "time unknown" : minutesWords(estimate.minutes);
}

function nothing({ config: { source } }: GenerationPlan): string {
  if (source === "topics") return "Choose at least one topic.";
  if (source === "selected") return "None of the selected records is valid and has a topic.";
  return "There is no gap to fill: every topic has about what it should have.";
}
