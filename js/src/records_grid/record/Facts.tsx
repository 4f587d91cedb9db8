// What is known of a record beside its conversation.
import type { ReactNode } from "react";
import { type RecordDetail, SETTINGS } from "../../contract.gen";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { count, percent } from "../../ui/numbers";
import { ago, exact } from "../../ui/time";
import { LongText } from "./LongText";

interface Props {
  readonly record: RecordDetail;
  readonly isBusy: boolean;
  onConfirmTopic(): void;
  onAssignTopic(): void;
  onOpen(id: string): void;
}

export function Facts({ record, isBusy, onConfirmTopic, onAssignTopic, onOpen }: Props) {
  return (
    <dl className="rft-rec-facts">
      <Fact name="Valid">
        <Badge tone={record.is_valid ? "ok" : "bad"}>{record.is_valid ? "Valid" : "Invalid"}</Badge>
        {record.issues.map((issue) => (
          <span key={issue.code} className="rft-rec-issue">
            {issue.message}
          </span>
        ))}
      </Fact>
      <Fact name="Topic">
        <Topic record={record} />
        <span className="rft-rec-acts">
          {canConfirm(record) && (
            <Button disabled={isBusy} onClick={onConfirmTopic}>
              Confirm
            </Button>
          )}
          <Button disabled={isBusy} onClick={onAssignTopic}>
            Change…
          </Button>
        </span>
      </Fact>
      <Fact name="Score">
        <Score record={record} />
      </Fact>
      <Fact name="Source">
        {record.is_generated ? "Generated" : "Recorded"}
        {record.strategy && <span className="rft-grid-faint">{record.strategy}</span>}
        {record.span_id && <Name of="span" id={record.span_id} />}
        {record.thread_id && <Name of="thread" id={record.thread_id} />}
        {record.source_record_id && (
          <span className="rft-rec-name">
            from{" "}
            {record.source_is_here ? (
              <button
                type="button"
                className="rft-link"
                onClick={() => onOpen(record.source_record_id ?? "")}
              >
                {record.source_record_id}
              </button>
            ) : (
              `${record.source_record_id}, which is gone`
            )}
          </span>
        )}
      </Fact>
      <Fact name="Size">
        {count(record.tokens)} tokens, {count(record.input.length + record.output.length)} messages
      </Fact>
      <Fact name="Added">
        <span title={exact(record.created_at)}>{ago(record.created_at)}</span>
        {record.version > 1 && (
          <span className="rft-grid-faint" title={exact(record.updated_at)}>
            changed {ago(record.updated_at)}
          </span>
        )}
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Name({ of, id }: { readonly of: string; readonly id: string }) {
  return (
    <span className="rft-rec-name">
      {of} <span className="rft-mono">{id}</span>
    </span>
  );
}

/** A topic that a program gave stands until somebody has looked at it. */
function canConfirm({ topic, topic_method }: RecordDetail): boolean {
  return topic !== null && topic_method !== "manual" && topic_method !== "import";
}

const METHODS = new Map([
  ["keyword", "by keywords"],
  ["similarity", "by similarity"],
  ["llm", "by a model"],
  ["manual", "by hand"],
  ["import", "from the import"],
]);

function Topic({ record }: { readonly record: RecordDetail }) {
  const { topic, topic_confidence, topic_method, topic_runner_up, previous_topic } = record;
  const isLow = topic_confidence !== null && topic_confidence < SETTINGS.topics.low_confidence;
  return (
    <>
      {topic ?? <span className="rft-grid-faint">No topic</span>}
      {topic !== null && (
        <span className={isLow ? "rft-grid-low" : "rft-grid-faint"}>
          {[
            topic_confidence === null ? "" : percent(topic_confidence),
            METHODS.get(topic_method ?? "") ?? "",
          ]
            .filter(Boolean)
            .join(", ")}
        </span>
      )}
      {topic_runner_up && <span className="rft-grid-faint">next likely: {topic_runner_up}</span>}
      {previous_topic && <span className="rft-grid-faint">was under {previous_topic}</span>}
    </>
  );
}

function Score({ record: { score, grades } }: { readonly record: RecordDetail }) {
  if (score === null && grades.length === 0) {
    return <span className="rft-grid-faint">Not graded</span>;
  }
  return (
    <>
      {score !== null && <span className="rft-rec-score">{score.toFixed(2)}</span>}
      {grades.map((grade, at) => (
        <div key={`${at}${grade.reward}`} className="rft-rec-grade">
          <span className="rft-grid-faint">
            {grade.reward === null
              ? "Grading failed in the last dry run"
              : `${grade.reward.toFixed(2)} in the last dry run`}
          </span>
          {(grade.error ?? grade.reasoning) && (
            <LongText text={grade.error ?? grade.reasoning ?? ""} />
          )}
        </div>
      ))}
    </>
  );
}
