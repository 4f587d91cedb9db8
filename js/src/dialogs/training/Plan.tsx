import type { PlannedTraining, TrainingEstimate } from "../../contract.gen";
import type { Loaded } from "../../host/loaded";
import { count, percent } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { NO_TOPIC } from "../../ui/rewards";
import { Scroll } from "../../ui/Scroll";
import { Skeleton } from "../../ui/Skeleton";
import { Stat, Stats } from "../../ui/Stat";
import { money } from "../../ui/spending";
import { duration } from "../../ui/time";

interface Props {
  readonly plan: Loaded<PlannedTraining | null>;
  /** Whether something has still to be given, which is said elsewhere. */
  readonly isIncomplete: boolean;
}

/** The split that the settings make, and what the run will take, or why it is refused. */
export function Plan({ plan, isIncomplete }: Props) {
  if (plan.problem) return <ProblemNote problem={plan.problem} onRetry={plan.reload} />;
  if (!plan.value) return <Skeleton lines={6} />;
  const { train, valid, groups, topics, notes, estimate, refusal } = plan.value;
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
      {refusal && !isIncomplete && <ProblemNote problem={refusal} />}
      {estimate && <Estimate estimate={estimate} />}
    </div>
  );
}

function Estimate({ estimate }: { readonly estimate: TrainingEstimate }) {
  const { seconds, basis, gradings, cost_micro_usd, cost_basis } = estimate;
  return (
    <Stats>
      <Stat
        label="Time"
        value={seconds === null ? "Unknown" : about(seconds)}
        note={seconds === null ? "No run has ended yet." : basis}
      />
      <Stat
        label="Gradings here"
        value={count(gradings)}
        note={gradings === 0 ? "The service grades." : "at most"}
      />
      <Stat label="Cost" value={money(cost_micro_usd)} note={cost_basis} />
    </Stats>
  );
}

const about = (seconds: number): string => (seconds < 1 ? "< 1 s" : `≈ ${duration(seconds)}`);
