import { useState } from "react";
import type { TrainingExample } from "../../contract.gen";
import { Button } from "../../ui/Button";
import { reward, signed } from "../../ui/rewards";
import { LongText } from "./LongText";

const FIRST = 3;

interface Props {
  readonly examples: readonly TrainingExample[];
}

/** Validation prompts with both answers and what they earned, from the greatest gain to the greatest loss. */
export function Examples({ examples }: Props) {
  const [isWhole, setWhole] = useState(false);
  if (examples.length === 0) return null;
  const shown = isWhole ? examples : examples.slice(0, FIRST);
  return (
    <section aria-label="Before and after">
      <h3 className="rft-section-title">Before and after</h3>
      <ul className="rft-training-examples">
        {shown.map((one) => (
          <li key={one.record_id} className="rft-card">
            <LongText className="rft-training-prompt" text={one.prompt} />
            <div className="rft-training-pair">
              <Answer title="Before" text={one.baseline_answer} value={one.baseline_reward} />
              <Answer
                title="After"
                text={one.tuned_answer}
                value={one.tuned_reward}
                gain={one.tuned_reward - one.baseline_reward}
              />
            </div>
          </li>
        ))}
      </ul>
      {examples.length > FIRST && (
        <Button look="ghost" onClick={() => setWhole(!isWhole)}>
          {isWhole ? "Show fewer" : `Show all ${examples.length}, what became worse included`}
        </Button>
      )}
    </section>
  );
}

interface AnswerProps {
  readonly title: string;
  readonly text: string;
  readonly value: number;
  readonly gain?: number;
}

function Answer({ title, text, value, gain }: AnswerProps) {
  return (
    <div>
      <h4>
        {title} <span className="rft-number">{reward(value)}</span>
        {gain !== undefined && (
          <span className={`rft-training-gain rft-tone-${gain >= 0 ? "ok" : "bad"}`}>
            {signed(gain)}
          </span>
        )}
      </h4>
      <LongText className="rft-training-answer" text={text} />
    </div>
  );
}
