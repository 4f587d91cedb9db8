// Right side: putting the records under the topics, and how sure they lie there.
import { type ReactNode, useState } from "react";
import { SETTINGS, type TopicsReport } from "../../contract.gen";
import type { Action } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { Confirm } from "../../ui/Confirm";
import { count, counted, percent } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { ago, exact } from "../../ui/time";

interface ApplyProps {
  readonly report: TopicsReport;
  readonly frozen: string | null;
  /** What it would take to recategorize all, where a model is asked. */
  readonly price: ReactNode;
  readonly starting: Action<[() => Promise<unknown>]>;
  categorize(mode: "unlabeled_only" | "recategorize_all"): Promise<unknown>;
}

export function ApplyPane({ report, frozen, price, starting, categorize }: ApplyProps) {
  const [isAsking, setAsking] = useState(false);
  const { topics, records, uncategorized, decided, edits_since, confirmed_since } = report;
  const isOff = frozen !== null || topics.length === 0 || records === 0;
  const news = [
    edits_since > 0 ? counted(edits_since, "edit of the topics", "edits of the topics") : "",
    confirmed_since > 0 ? counted(confirmed_since, "decision by hand", "decisions by hand") : "",
  ].filter(Boolean);
  return (
    <section className="rft-card rft-topics-card" aria-label="Apply to records">
      <h3 className="rft-section-title">Apply to records</h3>
      {news.length > 0 && topics.length > 0 && (
        <p className="rft-topics-news" role="status">
          {`${news.join(" and ")} since records were last put under topics.`}
        </p>
      )}
      <div className="rft-row">
        <Button
          look={uncategorized > 0 ? "main" : "plain"}
          disabled={isOff || starting.isBusy}
          title={frozen ?? undefined}
          onClick={() => void starting.run(() => categorize("unlabeled_only"))}
        >
          Apply to Unlabeled
        </Button>
        <Button
          look={uncategorized === 0 && edits_since > 0 ? "main" : "plain"}
          disabled={isOff || starting.isBusy}
          title={frozen ?? undefined}
          onClick={() => setAsking(true)}
        >
          Recategorize All
        </Button>
      </div>
      <p className="rft-note">
        {uncategorized === 0
          ? "Every valid record is under a topic."
          : `${counted(uncategorized, "record is", "records are")} under no topic.`}
      </p>
      {starting.problem && <ProblemNote problem={starting.problem} />}
      {isAsking && (
        <Confirm
          title="Recategorize all records?"
          action="Recategorize All"
          onConfirm={() => {
            setAsking(false);
            void starting.run(() => categorize("recategorize_all"));
          }}
          onCancel={() => setAsking(false)}
        >
          <p>
            {`${counted(records - decided, "record")} will be looked at again and may get another topic. ` +
              `${counted(decided, "record stays", "records stay")} where a person, or the data itself, put ${decided === 1 ? "it" : "them"}.`}
          </p>
          {price}
        </Confirm>
      )}
    </section>
  );
}

const { high_confidence: HIGH, medium_confidence: MEDIUM } = SETTINGS.categorize;

interface ConfidenceProps {
  readonly report: TopicsReport;
  onReview?(): void;
}

/** The bands of confidence, and how far they can be trusted. */
export function Confidence({ report, onReview }: ConfidenceProps) {
  const { bands, categorized, to_review } = report;
  const rows = [
    { name: "High", range: `from ${HIGH}`, tone: "ok", size: bands.high },
    { name: "Medium", range: `${MEDIUM} to ${HIGH}`, tone: "busy", size: bands.medium },
    { name: "Needs review", range: `below ${MEDIUM}`, tone: "warn", size: bands.needs_review },
    ...(bands.unknown > 0
      ? [{ name: "Unknown", range: "came with the data", tone: "idle", size: bands.unknown }]
      : []),
  ];
  return (
    <section className="rft-card rft-topics-card" aria-label="Confidence">
      <h3 className="rft-section-title">Confidence</h3>
      <table className="rft-topics-bands">
        <tbody>
          {rows.map(({ name, range, tone, size }) => (
            <tr key={name} className={`rft-tone-${tone}`}>
              <th scope="row">
                {name} <small>{range}</small>
              </th>
              <td className="rft-topics-bar" aria-hidden>
                <span style={{ width: `${categorized ? (100 * size) / categorized : 0}%` }} />
              </td>
              <td className="rft-number">{count(size)}</td>
              <td className="rft-number">{percent(categorized ? size / categorized : 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Measured report={report} />
      {onReview && to_review > 0 && (
        <Button onClick={onReview}>{`Review ${counted(to_review, "record")}`}</Button>
      )}
      {onReview && (
        <p className="rft-note">
          {`Records below ${SETTINGS.topics.low_confidence} count as low confidence and wait for review.`}
        </p>
      )}
    </section>
  );
}

function Measured({ report }: { readonly report: TopicsReport }) {
  const { measure, categorized } = report;
  if (categorized === 0) return null;
  if (!measure) {
    return (
      <p className="rft-note">
        Nothing was measured here: the topics came with the data, or with a copy of it.
      </p>
    );
  }
  const when = <time title={exact(measure.at)}>{ago(measure.at)}</time>;
  if (measure.basis === "estimate" || measure.accuracy === null) {
    return (
      <p className="rft-note">
        An estimate, made {when}:{" "}
        {measure.records === 0
          ? "there was no confirmed record to measure it on."
          : `${counted(measure.records, "record")} to measure it on ${measure.records === 1 ? "was" : "were"} too few.`}{" "}
        Five confirmed records a topic make a clear difference.
      </p>
    );
  }
  const held = counted(measure.records, "record");
  const right = percent(measure.accuracy);
  const off =
    measure.error === null ? "" : `, and confidences are off by ${percent(measure.error)}`;
  return measure.basis === "confirmed" ? (
    <p className="rft-note">
      {`Measured on ${held} that somebody decided, held out one part after the other: ${right} came under their topic${off}. `}
      {when}
    </p>
  ) : (
    <p className="rft-note">
      {`Measured on ${held} of the clustering, held out: ${right} came under the same topic again${off}. `}
      That says how well the clustering repeats itself, not what a person would say. {when}
    </p>
  );
}
