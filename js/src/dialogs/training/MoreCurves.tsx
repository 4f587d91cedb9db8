import { useState } from "react";
import { RewardCurves } from "../../charts";
import type { CurvePoint } from "../../contract.gen";
import { ChoiceField } from "../../ui/Field";
import { percent } from "../../ui/numbers";

type Name = "kl" | "entropy" | "completion_tokens" | "flat_share" | "clip_share" | "step_s";

interface Known {
  readonly title: string;
  readonly unit: string;
  readonly note: string;
  figure(value: number): string;
}

const digits = (value: number): string => String(Number(value.toPrecision(3)));

const KNOWN: Readonly<Record<Name, Known>> = {
  kl: {
    title: "Distance from the model before (KL)",
    unit: "Nats",
    note: "Grows as the model leaves where it began; a sudden rise is a warning.",
    figure: digits,
  },
  entropy: {
    title: "Entropy",
    unit: "Nats",
    note: "How much it still tries; near 0 all its answers are the same.",
    figure: digits,
  },
  completion_tokens: {
    title: "Length of answers",
    unit: "Tokens",
    note: "Answers that grow without a better reward are a warning.",
    figure: digits,
  },
  flat_share: {
    title: "Prompts without a difference",
    unit: "Share",
    note: "Where all answers to a prompt have the same reward, nothing is learned from it.",
    figure: percent,
  },
  clip_share: {
    title: "Held back by clipping",
    unit: "Share",
    note: "Steps that were too long.",
    figure: percent,
  },
  step_s: { title: "Time of a step", unit: "Seconds", note: "", figure: digits },
};

/** What else a run says of each step, one curve at a time. */
export function MoreCurves({ curve }: { readonly curve: readonly CurvePoint[] }) {
  const there = (Object.keys(KNOWN) as Name[]).filter((name) =>
    curve.some((point) => point[name] !== null),
  );
  const [chosen, setChosen] = useState<Name | null>(null);
  const [first] = there;
  if (first === undefined) return null;
  const name = chosen !== null && there.includes(chosen) ? chosen : first;
  const { title, unit, note, figure } = KNOWN[name];
  const points = curve.flatMap((point) => {
    const y = point[name];
    return y === null ? [] : [{ x: point.step, y, low: null, high: null }];
  });
  return (
    <details className="rft-training-more">
      <summary>{`More curves (${there.length})`}</summary>
      <div className="rft-training-curves">
        <ChoiceField<Name>
          label="Curve"
          value={name}
          options={there.map((one) => [one, KNOWN[one].title] as const)}
          hint={note}
          onChange={setChosen}
        />
        <RewardCurves
          series={[{ name: title, tone: "busy", points }]}
          xLabel="Step"
          yLabel={unit}
          figure={figure}
        />
      </div>
    </details>
  );
}
