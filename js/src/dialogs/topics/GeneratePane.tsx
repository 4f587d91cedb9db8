// Right side: other topics in place of these, and putting the records under them.
import { useState } from "react";
import {
  SETTINGS,
  type TopicsAtRisk,
  type TopicsReport,
  type TopicTemplate,
} from "../../contract.gen";
import type { Action, Loaded } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { Confirm } from "../../ui/Confirm";
import { ChoiceField, NumberField } from "../../ui/Field";
import { counted } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";

export interface Wanted {
  readonly method: "auto" | "template";
  readonly template: string | null;
  readonly n_topics: number | null;
  readonly depth: number | null;
}

interface Props {
  readonly report: TopicsReport;
  readonly templates: Loaded<readonly TopicTemplate[]>;
  /** Name of the model that names found topics; null where their keywords do. */
  readonly model: string | null;
  /** Why nothing can be started now. */
  readonly frozen: string | null;
  readonly starting: Action<[() => Promise<unknown>]>;
  atRisk(): Promise<TopicsAtRisk>;
  regenerate(wanted: Wanted): Promise<unknown>;
}

type Method = "auto" | "template" | "manual";

const METHODS = [
  ["auto", "Automatic: find them in the records"],
  ["template", "Template: begin with a ready-made tree"],
  ["manual", "Manual: write them by hand"],
] as const;

const { min_topics: FEWEST, max_topics: MOST, default_depth: DEPTH } = SETTINGS.clustering;
const USUAL = 8; // what the number begins with when it is set by hand

export function GeneratePane(props: Props) {
  const { report, templates, model, frozen, starting, atRisk, regenerate } = props;
  const [method, setMethod] = useState<Method>("auto");
  const [chosen, setChosen] = useState<string | null>(null);
  const [isCounted, setCounted] = useState(false);
  const [topics, setTopics] = useState(USUAL);
  const [depth, setDepth] = useState<number>(DEPTH);
  const [risk, setRisk] = useState<TopicsAtRisk | null>(null);
  const offered = templates.value ?? [];
  const template = offered.find((one) => one.name === chosen) ?? offered[0] ?? null;
  const hasTopics = report.topics.length > 0;

  const go = () => {
    setRisk(null);
    void starting.run(() =>
      regenerate(
        method === "template"
          ? { method, template: template?.name ?? null, n_topics: null, depth: null }
          : { method: "auto", template: null, n_topics: isCounted ? topics : null, depth },
      ),
    );
  };
  const ask = () =>
    starting.run(async () => {
      const found = await atRisk();
      if (found.labelled > 0 || hasTopics) setRisk(found);
      else queueMicrotask(go); // after this command has come to its end
    });

  return (
    <section className="rft-card rft-topics-card" aria-label="Generate topics">
      <h3 className="rft-section-title">Generate topics</h3>
      <ChoiceField<Method> label="Method" value={method} options={METHODS} onChange={setMethod} />
      {method === "auto" && (
        <div className="rft-topics-numbers">
          <NumberField
            label="Depth"
            value={depth}
            min={1}
            max={SETTINGS.topic_limits.max_depth}
            onChange={setDepth}
          />
          <ChoiceField
            label="Topics"
            value={isCounted ? "set" : "auto"}
            options={[
              ["auto", "As the data has them"],
              ["set", "Set a number"],
            ]}
            onChange={(value) => setCounted(value === "set")}
          />
          {isCounted && (
            <NumberField
              label="Number"
              value={topics}
              min={FEWEST}
              max={MOST}
              onChange={setTopics}
            />
          )}
        </div>
      )}
      {method === "template" && template && (
        <ChoiceField
          label="Template"
          value={template.name}
          options={offered.map((one) => [one.name, titleOf(one.name)] as const)}
          hint={`${counted(template.leaves, "topic")}: ${template.topics.join(", ")}`}
          onChange={setChosen}
        />
      )}
      {method === "template" && templates.problem && (
        <ProblemNote problem={templates.problem} onRetry={templates.reload} />
      )}
      {method === "manual" ? (
        <p className="rft-note">
          Nothing is generated: add, rename and move topics in the tree, then apply them to the
          records.
        </p>
      ) : (
        <>
          {method === "auto" && (
            <p className="rft-note">
              {model === null
                ? "They are called by the words that set each topic apart."
                : `${model} names and describes them, from records of each.`}
            </p>
          )}
          <Button
            look={hasTopics ? "plain" : "main"}
            isBusy={starting.isBusy}
            disabled={frozen !== null || report.records === 0}
            title={frozen ?? undefined}
            onClick={() => void ask()}
          >
            {hasTopics ? "Regenerate" : "Generate"}
          </Button>
        </>
      )}
      {starting.problem && <ProblemNote problem={starting.problem} />}
      {risk && (
        <Confirm
          title="Replace the topics?"
          action="Regenerate"
          isDangerous
          onConfirm={go}
          onCancel={() => setRisk(null)}
        >
          <p>{`${counted(report.topics.length, "topic")} will be replaced.`}</p>
          <p>
            {`${counted(risk.labelled, "record")} ${risk.labelled === 1 ? "has" : "have"} a topic, ` +
              `${counted(risk.by_hand, "of them was confirmed", "of them were confirmed")} by hand. ` +
              "Where a topic vanishes, its records become unlabeled and remember it; where its path is left, what was confirmed stays."}
          </p>
        </Confirm>
      )}
    </section>
  );
}

const titleOf = (name: string): string => {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};
