// One prompt, both answers, and what they earn.
import { Send } from "lucide-react";
import { useState } from "react";
import type { PlayedAnswer, PlayedPair, PlaygroundPrompt } from "../../contract.gen";
import { type Loaded, useAction } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { Field } from "../../ui/Field";
import { counted, percent } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { NO_TOPIC, reward, signed } from "../../ui/rewards";
import { milliseconds } from "./ModelChoice";

const OWN = "";
const SHOWN_CHARS = 90;

interface Props {
  /** Validation prompts that can be picked. */
  readonly prompts: Loaded<readonly PlaygroundPrompt[]>;
  onText(text: string): Promise<PlayedPair>;
  onRecord(record: string): Promise<PlayedPair>;
}

export function Playground({ prompts, onText, onRecord }: Props) {
  const [text, setText] = useState("");
  const [record, setRecord] = useState(OWN);
  const [pair, setPair] = useState<PlayedPair | null>(null);
  const ask = useAction(async () => {
    setPair(await (record === OWN ? onText(text.trim()) : onRecord(record)));
  });
  const choose = (id: string) => {
    setRecord(id);
    setPair(null);
    setText(prompts.value?.find((one) => one.record_id === id)?.text ?? "");
  };
  const canAsk = text.trim() !== "";
  return (
    <form
      className="rft-deploy-play"
      onSubmit={(event) => {
        event.preventDefault();
        if (canAsk) void ask.run();
      }}
    >
      {prompts.problem && <ProblemNote problem={prompts.problem} onRetry={prompts.reload} />}
      <Field
        label="Validation prompt"
        hint="A recorded prompt is asked with its conversation and tools, and graded with its item."
      >
        {(control) => (
          <select
            {...control}
            className="rft-input"
            value={record}
            onChange={(event) => choose(event.currentTarget.value)}
          >
            <option value={OWN}>My own, written below</option>
            {prompts.value?.map((one) => (
              <option key={one.record_id} value={one.record_id}>
                {`${one.topic ?? NO_TOPIC}: ${short(one.text)}`}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Prompt">
        {(control) => (
          <textarea
            {...control}
            className="rft-input"
            value={text}
            rows={4}
            maxLength={20_000}
            readOnly={record !== OWN}
            placeholder="What a user might write"
            onChange={(event) => setText(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
                event.preventDefault();
                if (canAsk) void ask.run();
              }
            }}
          />
        )}
      </Field>
      <div className="rft-row">
        <Button
          type="submit"
          look="main"
          icon={<Send size={14} aria-hidden />}
          isBusy={ask.isBusy}
          disabled={!canAsk}
        >
          Ask Both
        </Button>
        <span className="rft-note">Ctrl+Enter asks, too.</span>
      </div>
      {ask.problem && <ProblemNote problem={ask.problem} />}
      {pair && (
        <div className="rft-training-pair" aria-live="polite">
          <Answer title="Base" answer={pair.base} />
          <Answer title="Trained" answer={pair.tuned} before={pair.base.reward} />
        </div>
      )}
    </form>
  );
}

interface AnswerProps {
  readonly title: string;
  readonly answer: PlayedAnswer;
  readonly before?: number | null;
}

function Answer({ title, answer, before = null }: AnswerProps) {
  const gain = answer.reward !== null && before !== null ? answer.reward - before : null;
  return (
    <section className="rft-card" aria-label={title}>
      <h4>
        {title}
        {answer.reward !== null && <span className="rft-number">{reward(answer.reward)}</span>}
        {gain !== null && (
          <span className={`rft-training-gain rft-tone-${gain >= 0 ? "ok" : "bad"}`}>
            {signed(gain)}
          </span>
        )}
      </h4>
      <p className="rft-training-answer">{answer.text || "(empty)"}</p>
      {answer.reward === null && (
        <p className="rft-note rft-deploy-ungraded">
          {`Not graded${answer.error ? `: ${answer.error}` : "."}`}
        </p>
      )}
      <p className="rft-note rft-deploy-source" title={source(answer)}>
        {effort(answer)}
      </p>
    </section>
  );
}

/** Whose answer it is, where it was not written but chosen. */
const source = ({ source_record_id: id }: PlayedAnswer): string | undefined =>
  id === null ? undefined : `The answer of record ${id}`;

/** What an answer took, and where a recorded one comes from. */
function effort({ latency_s, tokens, similarity }: PlayedAnswer): string {
  const parts = [latency_s === null ? "answered before" : milliseconds(latency_s)];
  if (tokens !== null) parts.push(counted(tokens, "token"));
  if (similarity !== null) parts.push(`prompt like a recorded one by ${percent(similarity)}`);
  return parts.join(" · ");
}

const short = (text: string): string =>
  text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
