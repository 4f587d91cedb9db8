// What is trained, where and how; and what the run will take.
import { Play } from "lucide-react";
import { type ReactNode, useState } from "react";
import type {
  DialogName,
  ModelChoice,
  PlannedTraining,
  TrainingConfig,
  TrainingSetup,
} from "../../contract.gen";
import type { Action, Loaded } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { CapField } from "../../ui/CapField";
import { DialogFrame } from "../../ui/DialogFrame";
import { Empty } from "../../ui/Empty";
import { CheckField, NumberField } from "../../ui/Field";
import { count } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Stat, Stats } from "../../ui/Stat";
import { Hyperparameters } from "./Hyperparameters";
import { lacking, ModelFields, switched } from "./ModelFields";
import { isAtWork } from "./outcome";
import { Plan } from "./Plan";
import { TrainerChoice } from "./TrainerChoice";
import { Warnings } from "./Warnings";

interface Props {
  readonly title: string;
  readonly setup: TrainingSetup;
  readonly config: TrainingConfig;
  readonly plan: Loaded<PlannedTraining | null>;
  readonly connections: readonly ModelChoice[] | null;
  readonly start: Action<[despite_no_go: boolean]>;
  /** The history of runs. */
  readonly children: ReactNode;
  onConfig(config: TrainingConfig): void;
  onShowRun(id: string): void;
  onOpen(name: DialogName): void;
}

export function SetupView(props: Props) {
  const { title, setup, config, plan, connections, start, onConfig, onShowRun, onOpen } = props;
  const { readiness, data, trainers, runs } = setup;
  const [isOverridden, setOverridden] = useState(false);
  const trainer = trainers.find((one) => one.name === config.trainer);
  const running = runs.find((run) => isAtWork(run) && !run.was_killed);
  if (readiness.blocked !== null) {
    const first = data.valid_records === 0 ? "records" : "grader";
    const open = <Button onClick={() => onOpen(first)}>Go to that step</Button>;
    return (
      <DialogFrame title={title}>
        <Empty title={readiness.blocked} action={open}>
          Training needs valid records, and a grader that rewards answers.
        </Empty>
        {props.children}
      </DialogFrame>
    );
  }
  const lacks = trainer ? trainer.missing || lacking(trainer, config) : "Choose where to train.";
  const refusal = plan.value?.refusal ?? null;
  const why = reasonNot(
    lacks,
    readiness.no_go !== null && !isOverridden && "The dry run says NO_GO: override that above.",
    plan.problem?.message,
    refusal?.message,
  );
  const footer = (
    <>
      <span className="rft-training-foot-note" id="rft-training-why">
        {running ? (
          <>
            A run is at work.{" "}
            <button type="button" className="rft-link" onClick={() => onShowRun(running.id)}>
              Show it
            </button>
          </>
        ) : (
          why
        )}
      </span>
      <Button
        look="main"
        icon={<Play size={14} aria-hidden />}
        isBusy={start.isBusy}
        aria-describedby="rft-training-why"
        disabled={running !== undefined || why !== "" || plan.value === null}
        onClick={() => void start.run(readiness.no_go !== null && isOverridden)}
      >
        Start Training
      </Button>
    </>
  );
  return (
    <DialogFrame
      title={title}
      subtitle="Learn from the grader's rewards, and measure on records that training never sees."
      footer={footer}
    >
      {start.problem && <ProblemNote problem={start.problem} />}
      <Warnings
        readiness={readiness}
        isOverridden={isOverridden}
        onOverride={setOverridden}
        onOpen={onOpen}
      />
      <TrainerChoice
        trainers={trainers}
        value={config.trainer}
        onChange={(name) => onConfig(switched(config, name))}
      />
      <div className="rft-training-setup">
        <div className="rft-training-column">
          {trainer && (
            <ModelFields
              key={`model of ${trainer.name}`}
              {...{ trainer, config, connections, refusal }}
              onChange={onConfig}
            />
          )}
          <Hyperparameters
            key={`numbers of ${config.trainer}`}
            fields={trainer?.hyperparameters ?? []}
            values={config.hyperparameters}
            refusal={refusal}
            onChange={(hyperparameters) => onConfig({ ...config, hyperparameters })}
          />
        </div>
        <div className="rft-training-column">
          <DataSummary data={data} />
          <section aria-labelledby="rft-training-split" className="rft-training-column">
            <h3 id="rft-training-split" className="rft-section-title">
              Split
            </h3>
            <div className="rft-training-split-settings">
              <NumberField
                label="Train, in percent"
                value={Math.round(config.train_ratio * 1000) / 10}
                min={50}
                max={99}
                onChange={(value) => onConfig({ ...config, train_ratio: value / 100 })}
              />
              <div className="rft-training-checks">
                <CheckField
                  label="Split every topic by that ratio"
                  checked={config.stratify_by_topic}
                  onChange={(stratify_by_topic) => onConfig({ ...config, stratify_by_topic })}
                />
                <CheckField
                  label="Measure on generated records, too"
                  checked={config.include_generated_in_valid}
                  onChange={(include_generated_in_valid) =>
                    onConfig({ ...config, include_generated_in_valid })
                  }
                />
              </div>
            </div>
            <Plan plan={plan} isIncomplete={lacks !== ""} />
            {(data.asks_model || config.max_cost_usd !== null) && (
              <CapField
                value={config.max_cost_usd}
                onChange={(max_cost_usd) => onConfig({ ...config, max_cost_usd })}
              />
            )}
          </section>
        </div>
      </div>
      {props.children}
    </DialogFrame>
  );
}

/** The first reason there is why a run cannot start. */
const reasonNot = (...reasons: readonly (string | false | undefined)[]): string =>
  reasons.find((one) => one) || "";

function DataSummary({ data }: { readonly data: TrainingSetup["data"] }) {
  return (
    <section aria-labelledby="rft-training-data">
      <h3 id="rft-training-data" className="rft-section-title">
        Dataset
      </h3>
      <Stats>
        <Stat
          label="Valid records"
          value={count(data.valid_records)}
          note={data.invalid_records ? `${count(data.invalid_records)} invalid left out` : null}
        />
        <Stat label="Generated" value={count(data.generated_records)} />
        <Stat
          label="Topics"
          value={count(data.topics)}
          note={data.balance_score === null ? null : `balance ${data.balance_score.toFixed(2)}`}
        />
      </Stats>
      <p className="rft-note rft-training-sources">
        {`Grader: ${data.grader} (v${data.grader_version}) · Dry run: ${data.dry_run || "none"}`}
      </p>
    </section>
  );
}
