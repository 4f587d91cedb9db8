// The answers that a run learned from, step by step: prompt, answer and reward together.
import { useState } from "react";
import type { RolloutPage, TrainingRollout } from "../../contract.gen";
import type { Loaded } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { ChoiceField } from "../../ui/Field";
import { count, counted } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { reward, signed } from "../../ui/rewards";
import { Skeleton } from "../../ui/Skeleton";
import { LongText } from "./LongText";

const FIRST = 8;

type Order = "prompt" | "best" | "worst";

const ORDERS: readonly (readonly [Order, string])[] = [
  ["prompt", "By prompt"],
  ["best", "Highest reward first"],
  ["worst", "Lowest reward first"],
];

interface Props {
  readonly steps: readonly number[];
  readonly step: number;
  readonly page: Loaded<RolloutPage | null>;
  onStep(step: number): void;
  onRecord(record: string): void;
}

export function Rollouts({ steps, step, page, onStep, onRecord }: Props) {
  const [order, setOrder] = useState<Order>("prompt");
  const [shown, setShown] = useState(FIRST);
  const all = ordered(page.value?.rollouts ?? [], order);
  const cut = page.value && page.value.total > all.length ? page.value.total : null;
  return (
    <div className="rft-training-rollouts">
      <div className="rft-training-choices">
        <ChoiceField
          label="Step"
          value={String(step)}
          options={steps.map((one) => [String(one), count(one)] as const)}
          onChange={(one) => onStep(Number(one))}
        />
        <ChoiceField<Order> label="Order" value={order} options={ORDERS} onChange={setOrder} />
      </div>
      {page.problem && <ProblemNote problem={page.problem} onRetry={page.reload} />}
      {!page.value && !page.problem && <Skeleton lines={5} />}
      {page.value && (
        <p className="rft-note" role="status">
          {cut === null
            ? counted(all.length, "answer")
            : `The first ${count(all.length)} of ${count(cut)} answers`}
        </p>
      )}
      <ul className="rft-training-examples">
        {all.slice(0, shown).map((one, index) => (
          <Rollout key={`${step}-${order}-${index}`} rollout={one} onRecord={onRecord} />
        ))}
      </ul>
      {all.length > shown && (
        <Button look="ghost" onClick={() => setShown(shown + 4 * FIRST)}>
          {`Show more (${count(all.length - shown)} left)`}
        </Button>
      )}
    </div>
  );
}

interface RolloutProps {
  readonly rollout: TrainingRollout;
  onRecord(record: string): void;
}

function Rollout({ rollout, onRecord }: RolloutProps) {
  const { advantage, completion_tokens: tokens } = rollout;
  const tone = advantage === null || advantage === 0 ? "idle" : advantage > 0 ? "ok" : "bad";
  return (
    <li className="rft-card">
      <LongText className="rft-training-prompt" text={rollout.prompt} />
      <LongText className="rft-training-answer" text={rollout.answer || "(an empty answer)"} />
      <p className={`rft-training-score rft-tone-${tone}`}>
        <span>
          Reward{" "}
          <strong>
            {rollout.reward === null ? "none: grading failed" : reward(rollout.reward)}
          </strong>
        </span>
        {advantage !== null && (
          <span title="How much better than the other answers to this prompt">
            Advantage <strong className="rft-training-gain">{signed(advantage)}</strong>
          </span>
        )}
        {tokens !== null && <span>{counted(tokens, "token")}</span>}
        {rollout.record_id && (
          <button
            type="button"
            className="rft-link"
            aria-label={`Show record ${rollout.record_id}`}
            onClick={() => onRecord(rollout.record_id)}
          >
            Record
          </button>
        )}
      </p>
    </li>
  );
}

function ordered(rollouts: readonly TrainingRollout[], order: Order): readonly TrainingRollout[] {
  const value = (one: TrainingRollout) => one.reward ?? Number.NEGATIVE_INFINITY;
  if (order === "best") return [...rollouts].sort((a, b) => value(b) - value(a));
  if (order === "worst") return [...rollouts].sort((a, b) => value(a) - value(b));
  // Answers to one prompt stand together, the best of them first.
  const places = new Map<string, number>();
  for (const { record_id, prompt } of rollouts) {
    const key = record_id || prompt;
    if (!places.has(key)) places.set(key, places.size);
  }
  const place = (one: TrainingRollout) => places.get(one.record_id || one.prompt) ?? 0;
  return [...rollouts].sort((a, b) => place(a) - place(b) || value(b) - value(a));
}
