import type { TrainingPlan } from "../../contract.gen";
import type { Loaded } from "../../host/loaded";
import { count, percent } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { NO_TOPIC } from "../../ui/rewards";
import { Scroll } from "../../ui/Scroll";
import { Skeleton } from "../../ui/Skeleton";
import { Stat, Stats } from "../../ui/Stat";
import { duration } from "../../ui/time";

interface Props {
  readonly plan: Loaded<TrainingPlan | null>;
}

/** The split that the settings make, and what the run will take. */
export function Plan({ plan }: Props) {
  if (plan.problem) return <ProblemNote problem={plan.problem} onRetry={plan.reload} />;
  if (!plan.value) return <Skeleton lines={6} />;
  const { train, valid, groups, topics, notes, estimate } = plan.value;
  const cost = estimate.cost_micro_usd;
  return (
    <div className="rft-training-plan" aria-busy={plan.isLoading}>
      <Stats>
        <Stat
          label="Train"
          value={count(train)}
          note={`${percent(train / (train + valid))} of the valid`}
        />
        <Stat label="Validation" value={count(valid)} note="only measured on" />
        <Stat label="Groups" value={count(groups)} note="never split" />
      </Stats>
      <Scroll label="Records of each topic on either side" className="rft-training-split">
        <table className="rft-training-table">
          <thead>
            <tr>
              <th scope="col">Topic</th>
              <th scope="col" className="rft-number">
                Train
              </th>
              <th scope="col" className="rft-number">
                Validation
              </th>
            </tr>
          </thead>
          <tbody>
            {topics.map((one) => (
              <tr key={one.topic ?? ""}>
                <th scope="row">{one.topic ?? NO_TOPIC}</th>
                <td className="rft-number">{count(one.train)}</td>
                <td className="rft-number">{count(one.valid)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {notes.map((note) => (
        <p key={note} className="rft-note">
          {note}
        </p>
      ))}
      <Stats>
        <Stat
          label="Time"
          value={estimate.seconds === null ? "Unknown" : about(estimate.seconds)}
          note={estimate.seconds === null ? "No run has ended yet." : estimate.basis}
        />
        <Stat
          label="Cost"
          value={cost === null ? "Unknown" : "$0.00"}
          note={
            cost === null
              ? `The grader asks a model, at most ${count(estimate.gradings)} times.`
              : `On this machine; at most ${count(estimate.gradings)} gradings.`
          }
        />
      </Stats>
    </div>
  );
}

const about = (seconds: number): string => (seconds < 1 ? "< 1 s" : `≈ ${duration(seconds)}`);
