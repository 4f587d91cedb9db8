// The topics with their shares, targets and gaps. Knows nothing of Jupyter.
import { Scale, SlidersHorizontal } from "lucide-react";
import { TopicBars } from "../../charts";
import type { TopicCoverage } from "../../contract.gen";
import { Button } from "../../ui/Button";
import { counted } from "../../ui/numbers";

interface Props {
  readonly topics: readonly TopicCoverage[];
  onTopic(topic: string): void;
  onTargets(): void;
  onWhatIf(): void;
}

export function TopicsTable({ topics, onTopic, onTargets, onWhatIf }: Props) {
  return (
    <section aria-label="Topics">
      <div className="rft-row rft-coverage-head">
        <h3 className="rft-section-title">
          {counted(topics.length, "topic")} <small>click one for its records</small>
        </h3>
        <Button icon={<Scale size={14} aria-hidden />} onClick={onWhatIf}>
          What if…
        </Button>
        <Button icon={<SlidersHorizontal size={14} aria-hidden />} onClick={onTargets}>
          Edit Targets
        </Button>
      </div>
      <TopicBars
        rows={topics.map((one) => ({
          topic: one.topic,
          count: one.count,
          share: one.percentage / 100,
          target: one.target_percentage / 100,
          status: one.status,
          gap: { points: one.gap, records: one.gap_records },
        }))}
        onTopic={onTopic}
      />
    </section>
  );
}
