// What a dry run would take, before anything is spent.
import type { ReactNode } from "react";
import type { DryRunEstimate, WorkEstimate } from "../../contract.gen";
import { count, counted } from "../../ui/numbers";
import { pastErrorWords } from "../../ui/spending";
import { duration } from "../../ui/time";
import { cost, excludedWords } from "./words";

interface Props {
  readonly estimate: DryRunEstimate;
  readonly grader: string;
}

export function Estimate({ estimate, grader }: Props) {
  const { prompts: chosen, available, several, answers, probe_gradings, judge_calls } = estimate;
  const { rollouts, judging } = estimate;
  const asked = [rollouts, judging].filter((one) => one !== null);
  const past = [...new Set(asked.map(pastErrorWords))].filter((words) => words !== null);
  const excluded = Object.entries(estimate.excluded);
  return (
    <>
      <dl className="rft-dry-facts">
        <Fact label="Grader">{grader}</Fact>
        <Fact label="Prompts">
          {`${count(chosen)} of ${count(available)}${rollouts ? "" : " with an answer"}`}
        </Fact>
        {!rollouts && <Fact label="With 2 or more answers">{count(several)}</Fact>}
        {rollouts && <Fact label="Calls of the model">{count(rollouts.calls)}</Fact>}
        <Fact label="Answers to grade" isMain>
          {count(answers)}
        </Fact>
        <Fact label="Gradings of probes">
          {probe_gradings ? `up to ${count(probe_gradings)}` : "none"}
        </Fact>
        <Fact label="Judge calls">{judge_calls ? `up to ${count(judge_calls)}` : "0"}</Fact>
        {asked.length > 0 && <Fact label="Tokens">{`about ${count(tokensOf(asked))}`}</Fact>}
        <Fact label="Time">
          {estimate.seconds === null ? (
            <span title="It has not been timed in a dry run yet">unknown</span>
          ) : (
            `about ${duration(Math.max(1, estimate.seconds))}`
          )}
        </Fact>
        <Fact label="Cost">{cost(estimate)}</Fact>
      </dl>
      {past.map((words) => (
        <p key={words} className="rft-note">
          {words}
        </p>
      ))}
      {excluded.length > 0 && (
        <p className="rft-note">
          Left out:{" "}
          {excluded
            .map(([why, number]) => `${counted(number, "record")} ${excludedWords(why)}`)
            .join(", ")}
          .
        </p>
      )}
      {estimate.notes.map((note) => (
        <p key={note} className="rft-dry-warning">
          {note}
        </p>
      ))}
      {estimate.not_ready && (
        <p className="rft-dry-warning" role="alert">
          {estimate.not_ready}
        </p>
      )}
    </>
  );
}

const tokensOf = (asked: readonly WorkEstimate[]): number =>
  asked.reduce((sum, one) => sum + one.prompt_tokens + one.completion_tokens, 0);

interface FactProps {
  readonly label: string;
  readonly isMain?: boolean;
  readonly children: ReactNode;
}

function Fact({ label, isMain = false, children }: FactProps) {
  return (
    <div className={isMain ? "rft-dry-fact-main" : undefined}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
