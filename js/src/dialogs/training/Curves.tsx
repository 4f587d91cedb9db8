import { useMemo } from "react";
import { RewardCurves } from "../../charts";
import type { CurvePoint, TrainingReport } from "../../contract.gen";

interface Props {
  readonly curve: readonly CurvePoint[];
  readonly report: TrainingReport | null;
}

type Series = Parameters<typeof RewardCurves>[0]["series"];

/** Rewards step by step, for what is learned from and what is measured on. */
export function Curves({ curve, report }: Props) {
  const series = useMemo(() => seriesOf(curve), [curve]);
  const drawn = series.reduce((most, one) => Math.max(most, one.points.length), 0);
  if (drawn === 0) return null;
  const first = curve.find((point) => point.valid !== null)?.valid?.estimate ?? null;
  return (
    <section aria-labelledby="rft-training-curves">
      <h3 id="rft-training-curves" className="rft-section-title">
        Reward
      </h3>
      <RewardCurves
        series={series}
        xLabel="Step"
        yLabel="Reward"
        baseline={report?.change?.before_mean ?? first}
      />
    </section>
  );
}

function seriesOf(curve: readonly CurvePoint[]): Series {
  const train = curve.flatMap(({ step, train_reward }) =>
    train_reward === null ? [] : [{ x: step, y: train_reward, low: null, high: null }],
  );
  const valid = curve.flatMap(({ step, valid: one }) =>
    one === null ? [] : [{ x: step, y: one.estimate, low: one.low, high: one.high }],
  );
  return [
    { name: "Train (sampled answers)", tone: "busy", points: train },
    { name: "Validation (greedy answers)", tone: "accent", points: valid },
  ];
}
