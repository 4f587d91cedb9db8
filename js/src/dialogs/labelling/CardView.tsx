// What the labels say of a grader. Knows nothing of Jupyter.
import { Intervals } from "../../charts";
import type { TrustCard, TrustFinding } from "../../contract.gen";
import { Badge, type Tone } from "../../ui/Badge";
import { count, counted } from "../../ui/numbers";
import { Confusion } from "./Confusion";
import { Disagreements } from "./Disagreements";
import { figuresOf } from "./figures";

interface Props {
  readonly card: TrustCard;
  onRecords(ids: readonly string[], words: string): void;
}

const LEVELS: Record<TrustCard["level"], readonly [Tone, string]> = {
  trusted: ["ok", "Can stand in for people"],
  care: ["warn", "Usable, with care"],
  unclear: ["warn", "Not decided yet"],
  not_trusted: ["bad", "Do not train on it"],
  too_few: ["warn", "Too few labels"],
};
const TONES: Record<TrustFinding["tone"], readonly [Tone, string]> = {
  good: ["ok", "Good"],
  warn: ["warn", "Attention"],
  bad: ["bad", "Problem"],
  note: ["idle", "Note"],
};

export function CardView({ card, onRecords }: Props) {
  const [tone, words] = LEVELS[card.level];
  const name = card.version === null ? card.grader : `${card.grader} (version ${card.version})`;
  return (
    <section className="rft-trust" aria-label="Trust card">
      <div className={`rft-card rft-trust-verdict rft-tone-${tone}`}>
        <div className="rft-row">
          <Badge tone={tone}>{words}</Badge>
          <span className="rft-note">{name}</span>
        </div>
        <p role="status">{card.sentence}</p>
        <p className="rft-note">{basisOf(card)}</p>
      </div>
      {card.findings.length > 0 && (
        <ul className="rft-trust-findings" aria-label="What else the labels say">
          {card.findings.map(({ tone: kind, sentence }) => (
            <li key={sentence}>
              <Badge tone={TONES[kind][0]}>{TONES[kind][1]}</Badge>
              <span>{sentence}</span>
            </li>
          ))}
        </ul>
      )}
      {card.order_swap && <p className="rft-note">{card.order_swap.sentence}</p>}
      {card.against && <p className="rft-trust-against">{card.against.sentence}</p>}
      <Intervals caption="Figures of the trust card" rows={figuresOf(card)} />
      <Confusion card={card} onRecords={onRecords} />
      <Disagreements card={card} onRecords={onRecords} />
    </section>
  );
}

function basisOf(card: TrustCard): string {
  const why = card.first_error ? ` (${card.first_error})` : "";
  const parts = [
    `${counted(card.labels, "answer")} by ${card.labellers
      .map(({ labeller, labels }) => `${labeller} (${count(labels)})`)
      .join(", ")}`,
    card.clusters < card.labels ? `from ${counted(card.clusters, "conversation")}` : "",
    card.unscored > 0 ? `${counted(card.unscored, "failed grading")} left out${why}` : "",
    card.stale > 0 ? `${counted(card.stale, "record")} edited since` : "",
    card.disputed > 0 ? `${counted(card.disputed, "answer")} on which people are divided` : "",
  ];
  return `${parts.filter(Boolean).join(", ")}. Passed from ${card.threshold}.`;
}
