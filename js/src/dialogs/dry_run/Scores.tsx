// The scores of a dry run: statistics, histogram, topics, and prompts with several answers.

import { Histogram } from "../../charts";
import type { RecordsPreset, ShownRun } from "../../contract.gen";
import { count, counted, percent } from "../../ui/numbers";
import { Stat, Stats } from "../../ui/Stat";
import { Repeats } from "./Repeats";
import { Topics } from "./Topics";
import { bounds, excludedWords, score } from "./words";

interface Props {
  readonly run: ShownRun;
  onRecords(preset: RecordsPreset): void;
}

export function Scores({ run, onRecords }: Props) {
  const { scores, mean, excluded, repeats } = run.report;
  const left = Object.entries(excluded);
  return (
    <div className="rft-dry-scores">
      {scores && mean ? (
        <>
          <Stats>
            <Stat
              label="Mean"
              value={score(mean.estimate)}
              note={`${bounds(mean)} at ${percent(mean.level)}`}
            />
            <Stat label="Standard deviation" value={score(scores.std)} />
            <Stat
              label="Median"
              value={score(scores.median)}
              note={`half in ${score(scores.p25)} to ${score(scores.p75)}`}
            />
            <Stat label="p10 to p90" value={`${score(scores.p10)} – ${score(scores.p90)}`} />
            <Stat label="Above 0" value={percent(scores.share_above_zero)} />
            <Stat label="Equal to 1" value={percent(scores.share_one)} />
          </Stats>
          <p className="rft-note">
            {`${counted(scores.n, "score")} in ${counted(mean.clusters, "independent unit")} ` +
              "(conversations or prompts); the interval draws whole units."}
            {scores.outside > 0 && ` ${counted(scores.outside, "score")} outside 0 to 1.`}
          </p>
          <div className="rft-dry-charts">
            <section className="rft-card" aria-label="Histogram">
              <h3 className="rft-section-title">
                Scores <small>click a bin for its records</small>
              </h3>
              <Histogram
                bins={run.bins.map((bin) => ({ from: bin.low, to: bin.high, count: bin.count }))}
                label="Scores"
                marks={[{ at: mean.estimate, label: `mean ${score(mean.estimate)}` }]}
                onBin={({ from }) => {
                  const bin = run.bins.find((one) => one.low === from);
                  if (bin) onRecords({ where: bin.where, badge: bin.words });
                }}
              />
            </section>
            <Topics scores={run.report.topics} topics={run.topics} onRecords={onRecords} />
          </div>
          {repeats && <Repeats repeats={repeats} />}
        </>
      ) : (
        <p className="rft-note">No answer has a score: see Samples for what failed.</p>
      )}
      {left.length > 0 && (
        <p className="rft-note">
          Not in the statistics:{" "}
          {left.map(([why, number]) => `${count(number)} ${excludedWords(why)}`).join(", ")}.
        </p>
      )}
    </div>
  );
}
