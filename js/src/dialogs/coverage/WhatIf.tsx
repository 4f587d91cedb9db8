// The coverage as it would be with more records. Knows nothing of Jupyter.
import { useState } from "react";
import { BeforeAfter } from "../../charts";
import type { CoverageReport } from "../../contract.gen";
import { useLoaded } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { counted } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { useSettled } from "../../ui/useSettled";
import { Band, score } from "./Balance";

export interface Added {
  readonly topic: string;
  readonly count: number;
}

interface Props {
  readonly report: CoverageReport;
  /** Another number after each change of the dataset. */
  readonly revision: number;
  load(added: readonly Added[], signal: AbortSignal): Promise<CoverageReport>;
  onClose(): void;
}

const PAUSE_MS = 250;
const MOST = 1_000_000; // records to add to one topic

/** Records to add by topic, at first as many as fill the gaps. */
const gaps = (report: CoverageReport) =>
  new Map(report.topics.map((one) => [one.topic, Math.max(0, one.gap_records)]));

export function WhatIf({ report, revision, load, onClose }: Props) {
  const [draft, setDraft] = useState<ReadonlyMap<string, number>>(() => gaps(report));
  const asked = useSettled(draft, PAUSE_MS);
  const added = report.topics.map(({ topic }) => ({ topic, count: asked.value.get(topic) ?? 0 }));
  const after = useLoaded((signal) => load(added, signal), {
    revision: revision + asked.turn, // both only grow
  });
  const counts = new Map(after.value?.topics.map((one) => [one.topic, one]));
  return (
    <section aria-label="What if">
      <div className="rft-row rft-coverage-head">
        <h3 className="rft-section-title">What if there were more records?</h3>
        <Button onClick={() => setDraft(gaps(report))}>Fill the Gaps</Button>
        <Button onClick={() => setDraft(new Map())}>Nothing</Button>
        <Button onClick={onClose}>Close</Button>
      </div>
      <p role="status" className="rft-coverage-change">
        {`Balance ${score(report.balance_score)} `}
        <Band report={report} />
        {after.value && (
          <>
            {` → ${score(after.value.balance_score)} `}
            <Band report={after.value} />
            {` with ${counted(after.value.categorized_records - report.categorized_records, "more record")}`}
          </>
        )}
      </p>
      {after.problem && <ProblemNote problem={after.problem} onRetry={after.reload} />}
      <div className="rft-coverage-what-if">
        <BeforeAfter
          rows={report.topics.map((one) => {
            const then = counts.get(one.topic);
            return {
              topic: one.topic,
              before: one.count,
              after: then?.count ?? one.count,
              target: ((after.value ?? report).categorized_records * one.target_percentage) / 100,
            };
          })}
        />
        <ul className="rft-coverage-added">
          <li className="rft-coverage-add" aria-hidden>
            Add
          </li>
          {report.topics.map(({ topic }) => (
            <li key={topic}>
              <input
                className="rft-input rft-number"
                type="number"
                min={0}
                max={MOST}
                step={1}
                aria-label={`Records to add to ${topic}`}
                value={draft.get(topic) ?? 0}
                onChange={(event) => {
                  const value = event.currentTarget.valueAsNumber;
                  const count = Number.isFinite(value) ? Math.round(value) : 0;
                  setDraft(new Map(draft).set(topic, Math.min(MOST, Math.max(0, count))));
                }}
              />
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}
