// What the grader says of recorded answers: alone, beside people, beside another version.
import { useEffect, useState } from "react";
import type { GraderResults, GraderVersionView, GraderView } from "../../contract.gen";
import { SETTINGS } from "../../contract.gen";
import type { Job } from "../../host/jobs";
import { useNavigation } from "../../host/navigation";
import { Button } from "../../ui/Button";
import { Empty } from "../../ui/Empty";
import { ChoiceField } from "../../ui/Field";
import { JobProgress } from "../../ui/JobProgress";
import { Tabs } from "../../ui/Tabs";
import { Comparison } from "./Comparison";
import { TestResults } from "./TestResults";
import { Versions } from "./Versions";

export type TrialKind = "test" | "labels" | "versions";

interface Props {
  readonly view: GraderView;
  readonly results: GraderResults | null;
  /** Of the draft as it stands; nothing while it cannot be read. */
  readonly hash: string | null;
  readonly canStart: boolean;
  readonly jobs: Readonly<Record<TrialKind, Job>>;
  readonly isRestoring: boolean;
  onTest(): void;
  onLabels(field: string): void;
  onCompare(version: number): void;
  onRestore(version: GraderVersionView): void;
}

export function Trials(props: Props) {
  const { view, results, hash, jobs } = props;
  const [tab, setTab] = useState<TrialKind>("test");
  const running = (["test", "labels", "versions"] as const).find((kind) => jobs[kind].isRunning);
  // Whoever starts a test from elsewhere wants to see it.
  useEffect(() => {
    if (running) setTab(running);
  }, [running]);
  const isOld = (found: { readonly hash: string }) => hash !== null && found.hash !== hash;

  const test = (
    <Trial job={jobs.test}>
      {results?.test ? (
        <>
          <TestResults test={results.test} isOld={isOld(results.test)} />
          <div>
            <Button disabled={!props.canStart || jobs.test.isRunning} onClick={props.onTest}>
              Test on Others
            </Button>
          </div>
        </>
      ) : (
        <Empty title="Not tried yet">
          Test on {SETTINGS.grader_test.records} Samples grades a few recorded answers with what is
          above, saved or not.
        </Empty>
      )}
    </Trial>
  );
  const labels = (
    <Trial job={jobs.labels}>
      <Labels {...props} />
      {results?.labels && <Comparison found={results.labels} isOld={isOld(results.labels)} />}
    </Trial>
  );
  const versions = (
    <Trial job={jobs.versions}>
      <Versions
        versions={view.versions}
        isBusy={props.isRestoring || jobs.versions.isRunning}
        canCompare={props.canStart}
        onCompare={props.onCompare}
        onRestore={props.onRestore}
      />
      {results?.versions && <Comparison found={results.versions} isOld={isOld(results.versions)} />}
    </Trial>
  );
  return (
    <Tabs<TrialKind>
      label="Try the grader"
      value={tab}
      onChange={setTab}
      tabs={[
        { value: "test", title: "Test", body: test },
        { value: "labels", title: "Compare with Labels", body: labels },
        { value: "versions", title: `Versions (${view.versions.length})`, body: versions },
      ]}
    />
  );
}

function Trial({ job, children }: { readonly job: Job; readonly children: React.ReactNode }) {
  return (
    <div className="rft-grader-trial">
      <JobProgress job={job} />
      {children}
    </div>
  );
}

function Labels({ view, canStart, jobs, onLabels }: Props) {
  const fields = view.fields.labels;
  const [chosen, setChosen] = useState<string | null>(null);
  const field = chosen !== null && fields.includes(chosen) ? chosen : fields[0];
  const { open } = useNavigation();
  const label = (
    <Button onClick={() => open({ kind: "dialog", name: "labelling" })}>
      Label Answers, See the Trust Card
    </Button>
  );
  if (field === undefined) {
    return (
      <Empty title="No labels yet" action={label}>
        No field of the records holds numbers from 0 to 1, or true and false. Import records with
        what people said of the answers, such as human_reward, or label some yourself, to see
        whether the grader agrees.
      </Empty>
    );
  }
  return (
    <div className="rft-grader-ask">
      <ChoiceField
        label="Field with people's labels"
        value={field}
        options={fields.map((name) => [name, name] as const)}
        onChange={setChosen}
      />
      <Button disabled={!canStart || jobs.labels.isRunning} onClick={() => onLabels(field)}>
        Compare
      </Button>
      {label}
    </div>
  );
}
