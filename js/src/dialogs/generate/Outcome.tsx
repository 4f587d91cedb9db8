// What accepting candidates changed. Knows nothing of Jupyter.
import type { AcceptOutcome } from "../../contract.gen";
import { count, counted } from "../../ui/numbers";
import { Stat, Stats } from "../../ui/Stat";
import { score } from "./words";

interface Props {
  readonly outcome: AcceptOutcome;
  /** What the plan expected. */
  readonly planned: number | null;
}

export function Outcome({ outcome, planned }: Props) {
  const { accepted, balance_before, records } = outcome;
  const expected = score(planned);
  return (
    <section aria-label="What changed" className="rft-generate-outcome" role="status">
      <h3 className="rft-section-title">
        {`${counted(accepted.records, "record")} ${accepted.records === 1 ? "was" : "were"} added`}
      </h3>
      <Stats>
        <Stat
          label="Balance"
          value={`${score(balance_before)} → ${score(accepted.balance_score)}`}
          note={
            expected === score(accepted.balance_score)
              ? "as planned"
              : `the plan, with all of it, was ${expected}`
          }
        />
        <Stat
          label="Records of the dataset"
          value={count(records)}
          note="the new ones are marked"
        />
        {accepted.invalid > 0 && (
          <Stat
            label="Invalid"
            value={count(accepted.invalid)}
            note="they break a rule of validation"
          />
        )}
        {accepted.without_topic > 0 && (
          <Stat
            label="Without a topic"
            value={count(accepted.without_topic)}
            note="their topic is gone since"
          />
        )}
      </Stats>
    </section>
  );
}
