// What the shares of the topics should be. Knows nothing of Jupyter.
import { useState } from "react";
import { share } from "../../charts";
import { type Problem, SETTINGS, type TopicCoverage } from "../../contract.gen";
import { Button } from "../../ui/Button";
import { count } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { useLeaving } from "../../ui/useLeaving";
import { type Draft, draftOf, isSame, sumOf, type Target, targetsOf } from "./targets";

interface Props {
  readonly topics: readonly TopicCoverage[];
  readonly isBusy: boolean;
  readonly problem: Problem | null;
  onSave(targets: readonly Target[]): void;
  onFollow(targets: "uniform" | "traffic"): void;
  onCancel(): void;
}

export function TargetsForm({ topics, isBusy, problem, onSave, onFollow, onCancel }: Props) {
  const by = (percent: (one: TopicCoverage) => number) =>
    draftOf(topics.map((one) => ({ topic: one.topic, percent: percent(one) })));
  const [before] = useState(() => by((one) => one.target_percentage));
  const [draft, setDraft] = useState<Draft>(before);
  const targets = targetsOf(
    topics.map((one) => one.topic),
    draft,
  );
  const sum = sumOf(targets.map((one) => one.percent));
  const leaving = useLeaving(!isSame(draft, before), "the targets");
  const isOff = Math.abs(sum - 100) > SETTINGS.coverage.target_tolerance + 1e-9;
  return (
    <form
      aria-label="Targets"
      noValidate // Python says what is wrong
      onSubmit={(event) => {
        event.preventDefault();
        onSave(targets);
      }}
    >
      {leaving.question}
      <div className="rft-row rft-coverage-head">
        <h3 className="rft-section-title">Targets</h3>
        <Button onClick={() => setDraft(by(() => 100 / topics.length))}>Equalise</Button>
        <Button onClick={() => setDraft(by((one) => one.percentage))}>From Current</Button>
        <Button onClick={() => setDraft(before)}>Reset</Button>
      </div>
      <p className="rft-note rft-coverage-follow">
        Percent of the records with a topic. Or let them follow:{" "}
        <button type="button" className="rft-link" onClick={() => onFollow("uniform")}>
          always equal
        </button>
        ,{" "}
        <button type="button" className="rft-link" onClick={() => onFollow("traffic")}>
          the shares of recorded traffic
        </button>
        .
      </p>
      <table className="rft-table rft-coverage-targets">
        <thead>
          <tr>
            <th scope="col">Topic</th>
            <th scope="col">Records</th>
            <th scope="col">Share</th>
            <th scope="col">Target, %</th>
          </tr>
        </thead>
        <tbody>
          {topics.map((one) => (
            <tr key={one.topic}>
              <th scope="row">{one.topic}</th>
              <td>{count(one.count)}</td>
              <td>{share(one.percentage / 100)}</td>
              <td>
                <input
                  className="rft-input rft-number"
                  type="number"
                  min={0}
                  max={100}
                  step="any"
                  aria-label={`Target of ${one.topic}, percent`}
                  value={draft.get(one.topic) ?? ""}
                  onChange={(event) =>
                    setDraft(new Map(draft).set(one.topic, event.currentTarget.value))
                  }
                />
              </td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row" colSpan={3}>
              Sum
            </th>
            <td className={isOff ? "rft-coverage-off" : ""} role="status">
              {`${Math.round(100 * sum) / 100}%${isOff ? ", must be 100%" : ""}`}
            </td>
          </tr>
        </tfoot>
      </table>
      {problem && <ProblemNote problem={problem} />}
      <div className="rft-row rft-coverage-actions">
        <Button onClick={onCancel}>Cancel</Button>
        <Button look="main" type="submit" isBusy={isBusy}>
          Save Targets
        </Button>
      </div>
    </form>
  );
}
