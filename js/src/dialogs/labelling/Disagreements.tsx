// Answers that grader and people judge differently, the furthest apart first.
import type { Disagreement, TrustCard } from "../../contract.gen";
import { reward } from "../../ui/rewards";

interface Props {
  readonly card: TrustCard;
  onRecords(ids: readonly string[], words: string): void;
}

export function Disagreements({ card, onRecords }: Props) {
  if (card.disagreements.length === 0) return null;
  return (
    <section aria-label="Where they differ most">
      <h3 className="rft-section-title">Where they differ most</h3>
      {card.disagreements.map((one) => (
        <details key={one.record_id} className="rft-trust-differ">
          <summary>
            <span className="rft-trust-scores">
              {`grader ${reward(one.score)}, people ${reward(one.human)}`}
            </span>
            <span className="rft-trust-first">{one.response || "(empty)"}</span>
          </summary>
          <Texts one={one} />
          <button
            type="button"
            className="rft-link"
            onClick={() => onRecords([one.record_id], "Judged differently")}
          >
            Open the record
          </button>
        </details>
      ))}
    </section>
  );
}

function Texts({ one }: { readonly one: Disagreement }) {
  const people = one.labels.map(({ labeller, words, note }) =>
    note ? `${labeller}: ${words} – ${note}` : `${labeller}: ${words}`,
  );
  return (
    <dl className="rft-trust-texts">
      <dt>Prompt</dt>
      <dd>{one.prompt}</dd>
      <dt>Answer</dt>
      <dd>{one.response || "(empty)"}</dd>
      <dt>People</dt>
      <dd>{people.join("\n")}</dd>
      {one.reasoning && (
        <>
          <dt>Grader</dt>
          <dd>{one.reasoning}</dd>
        </>
      )}
    </dl>
  );
}
