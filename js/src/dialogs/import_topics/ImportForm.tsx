// What a file of topics holds, what importing it does, and the decision.
import type { FoundTopics } from "../../contract.gen";
import { count, counted } from "../../ui/numbers";
import { Stat, Stats } from "../../ui/Stat";

export type Assignments = "keep" | "clear";

interface Props {
  readonly found: FoundTopics;
  readonly assignments: Assignments;
  readonly isBusy: boolean;
  onAssignments(value: Assignments): void;
}

export function ImportForm({ found, assignments, isBusy, onAssignments }: Props) {
  const { impact } = found;
  const lost = impact.labelled - impact.kept;
  const choices = [
    {
      value: "keep" as const,
      title: "Keep assignments",
      words:
        `${counted(impact.kept, "record stays", "records stay")} under a topic of the same path, ` +
        `or the only one of the same name; ${count(lost)} become unlabeled and remember their topic.`,
    },
    {
      value: "clear" as const,
      title: "Clear assignments",
      words:
        `All ${counted(impact.labelled, "record")} become unlabeled, ` +
        `${count(impact.by_hand)} of them confirmed by hand.`,
    },
  ];
  return (
    <>
      <Stats>
        <Stat label="Topics" value={count(found.topics)} />
        <Stat label="Leaves, for records" value={count(found.leaves)} />
        <Stat label="Levels" value={count(found.depth)} />
      </Stats>
      <section aria-label="Topics of the file">
        <h3 className="rft-section-title">Topics of the file</h3>
        <ul className="rft-found">
          {found.shown.map((topic, index) => (
            <li
              key={index}
              style={{ "--rft-level": topic.level } as React.CSSProperties}
              title={topic.description || undefined}
            >
              <span className="rft-found-name">{topic.name}</span>
              {topic.below > 0 && <small>{count(topic.below)}</small>}
            </li>
          ))}
        </ul>
        {found.more > 0 && (
          <p className="rft-note">{`and ${counted(found.more, "topic")} more, not shown here.`}</p>
        )}
      </section>
      {impact.replaced > 0 && (
        <p className="rft-import-warning" role="note">
          {`${counted(impact.replaced, "topic")} will be replaced.`}
        </p>
      )}
      {impact.labelled > 0 && (
        <fieldset className="rft-import-choice" disabled={isBusy}>
          <legend className="rft-section-title">Records that have a topic</legend>
          {choices.map(({ value, title, words }) => (
            <label key={value}>
              <input
                type="radio"
                name="assignments"
                value={value}
                checked={assignments === value}
                onChange={() => onAssignments(value)}
              />
              <span>
                <strong>{title}</strong>
                <small>{words}</small>
              </span>
            </label>
          ))}
        </fieldset>
      )}
    </>
  );
}
