// The candidates in a few numbers.
import type { BatchView } from "../../../contract.gen";
import { count, counted, percent } from "../../../ui/numbers";
import { Stat, Stats } from "../../../ui/Stat";
import { money } from "../../../ui/spending";

interface Props {
  readonly view: BatchView;
  readonly ticked: number;
  readonly unticked: number;
}

export function ReviewStats({ view: { state, spent }, ticked, unticked }: Props) {
  const { open, open_good, accepted, plan, diversity, recorded_diversity } = state;
  return (
    <Stats>
      <Stat
        label="Candidates"
        value={count(open)}
        note={
          accepted > 0 ? `${count(accepted)} accepted before` : `of ${count(plan.total)} planned`
        }
      />
      <Stat label="Ticked" value={count(ticked)} note={`${count(unticked)} not`} />
      <Stat label="With a fault" value={count(open - open_good)} note="unticked at first" />
      <Stat
        label="Diversity"
        value={diversity === null ? "–" : percent(diversity)}
        note={
          recorded_diversity === null
            ? "100% is all different"
            : `recorded prompts have ${percent(recorded_diversity)}`
        }
      />
      {spent && (
        <Stat
          label="Spent"
          value={money(spent.cost_micro_usd)}
          note={counted(spent.calls, "call")}
        />
      )}
    </Stats>
  );
}
