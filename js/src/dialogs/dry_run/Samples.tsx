// Answers of a dry run to read: each with its prompt, its score and the grader's reasoning.
import { useState } from "react";
import type { DryRunReport, FailureGroup, GradedAnswer } from "../../contract.gen";
import { Badge } from "../../ui/Badge";
import { counted } from "../../ui/numbers";
import { score } from "./words";

type Kind = "worst" | "best" | "middle" | "failed";

interface Props {
  readonly report: DryRunReport;
}

export function Samples({ report }: Props) {
  const failed = report.failures.reduce((sum, group) => sum + group.count, 0);
  const kinds: readonly (readonly [Kind, string, number])[] = [
    ["worst", "Worst", report.worst.length],
    ["best", "Best", report.best.length],
    ["middle", "Nearest the mean", report.middle.length],
    ["failed", "Without a score", failed],
  ];
  const some = kinds.filter(([, , number]) => number > 0);
  const [chosen, setChosen] = useState<Kind>("worst");
  const kind = some.some(([one]) => one === chosen) ? chosen : some[0]?.[0];
  return (
    <div className="rft-dry-samples">
      {/* biome-ignore lint/a11y/useSemanticElements: buttons that choose, no form */}
      <div className="rft-row" role="group" aria-label="Which samples">
        {some.map(([one, words, number]) => (
          <button
            key={one}
            type="button"
            className="rft-button rft-dry-choice"
            aria-pressed={one === kind}
            onClick={() => setChosen(one)}
          >
            {words} <small>{number}</small>
          </button>
        ))}
      </div>
      {kind === "failed"
        ? report.failures.map((group) => <Failure key={group.status + group.error} group={group} />)
        : kind &&
          report[kind].map((answer) => (
            <Answer key={`${answer.record_id}-${answer.repeat}`} answer={answer} />
          ))}
    </div>
  );
}

function Failure({ group }: { readonly group: FailureGroup }) {
  return (
    <section className="rft-dry-failure" aria-label={group.error}>
      <p className="rft-row">
        <Badge tone="bad">
          {counted(group.count, group.status === "failed_answer" ? "answer" : "grading")}
        </Badge>
        <strong>{group.error}</strong>
        {group.flags.map((flag) => (
          <code key={flag}>{flag}</code>
        ))}
      </p>
      <Answer answer={group.example} />
    </section>
  );
}

function Answer({ answer }: { readonly answer: GradedAnswer }) {
  const parts = Object.entries(answer.sub_rewards ?? {});
  const why = answer.reasoning ?? answer.error;
  return (
    <article className="rft-card rft-dry-sample">
      <header className="rft-row">
        <span className="rft-dry-score">{score(answer.reward)}</span>
        {parts.map(([name, value]) => (
          <span key={name} className="rft-dry-part">{`${name} ${score(value)}`}</span>
        ))}
        <span className="rft-dry-of">
          {answer.topic ?? "(no topic)"} · <span className="rft-mono">{answer.record_id}</span>
        </span>
      </header>
      <div className="rft-dry-texts">
        <Text title="Prompt" text={answer.prompt} />
        <Text title="Response" text={answer.response || "(empty)"} />
      </div>
      {why && <Text title={answer.reasoning ? "Reasoning" : "Error"} text={why} />}
    </article>
  );
}

interface TextProps {
  readonly title: string;
  readonly text: string;
}

function Text({ title, text }: TextProps) {
  return (
    <div>
      <h4 className="rft-dry-text-title">{title}</h4>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
      <pre className="rft-dry-text" tabIndex={0}>
        {text}
      </pre>
    </div>
  );
}
