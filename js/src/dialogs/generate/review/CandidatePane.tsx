// A candidate beside what it was made from. Texts of both are data: text only.
import type { ReactNode } from "react";
import type { CandidateView, Piece, ShownMessage } from "../../../contract.gen";
import { Conversation } from "../../../records_grid/record/Conversation";
import { Badge } from "../../../ui/Badge";
import { Button } from "../../../ui/Button";
import { counted, percent } from "../../../ui/numbers";
import { strategyName } from "../words";

interface Props {
  readonly candidate: CandidateView;
  readonly isTicked: boolean;
  onToggle(): void;
  /** Show another candidate. */
  onCandidate(id: number): void;
}

export function CandidatePane({ candidate, isTicked, onToggle, onCandidate }: Props) {
  const { id, strategy, difficulty, fault, shared, output, tools, repeats } = candidate;
  return (
    <>
      <div className="rft-row rft-pane-head">
        <h4>{`Candidate ${id}`}</h4>
        <Badge>{strategyName(strategy)}</Badge>
        {difficulty && <Badge>{difficulty}</Badge>}
        <Button className="rft-pane-tick" aria-pressed={isTicked} onClick={onToggle}>
          {isTicked ? "Untick" : "Tick"} <kbd>space</kbd>
        </Button>
      </div>
      {fault && (
        <p className="rft-pane-fault" role="status">
          {candidate.fault_words}
        </p>
      )}
      {shared.length > 0 && (
        <details className="rft-pane-shared">
          <summary>{`${counted(shared.length, "message")} before, the same in both`}</summary>
          <Conversation messages={shared} />
        </details>
      )}
      <div className="rft-pane-sides">
        <Side title={sourceTitle(candidate)}>
          {candidate.source_record_id ? (
            <>
              <Others messages={candidate.before} />
              <Text pieces={candidate.was} tone="old" />
            </>
          ) : (
            <p className="rft-pane-text rft-pane-basis">{candidate.basis}</p>
          )}
        </Side>
        <Side title="Candidate">
          <Others messages={candidate.after} />
          <Text pieces={candidate.wrote} tone="new" />
        </Side>
      </div>
      {output.length > 0 && (
        <details className="rft-pane-shared" open>
          <summary>{`The answer that was made with it, ${counted(output.length, "message")}`}</summary>
          <Conversation messages={output} />
        </details>
      )}
      {repeats && (
        <section className="rft-pane-repeats" aria-label="What it is nearest to">
          <h5>
            {`${percent(candidate.similarity)} like `}
            {repeats.candidate === null ? (
              repeats.words
            ) : (
              <button
                type="button"
                className="rft-link"
                onClick={() => repeats.candidate !== null && onCandidate(repeats.candidate)}
              >
                {repeats.words}
              </button>
            )}
          </h5>
          <p className="rft-pane-text">{repeats.text}</p>
        </section>
      )}
      {tools.length > 0 && (
        <p className="rft-note">
          Tools on offer: <span className="rft-mono">{tools.join(", ")}</span>
        </p>
      )}
    </>
  );
}

function sourceTitle({ source_record_id, shown, strategy }: CandidateView): string {
  if (!source_record_id) {
    return strategy === "scenario_expansion" ? "Made from the scenario" : "Made from the topic";
  }
  return shown > 1 ? `First of ${shown} examples` : "Source record";
}

function Side({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="rft-pane-side" aria-label={title}>
      <h5>{title}</h5>
      {children}
    </section>
  );
}

function Others({ messages }: { readonly messages: readonly ShownMessage[] }) {
  return messages.length > 0 ? <Conversation messages={messages} /> : null;
}

interface TextProps {
  readonly pieces: readonly Piece[];
  readonly tone: "old" | "new";
}

/** A text with what only it says marked. */
function Text({ pieces, tone }: TextProps) {
  if (pieces.length === 0) return <p className="rft-note">No text of the user.</p>;
  const Mark = tone === "old" ? "del" : "ins";
  return (
    <p className="rft-pane-text">
      {pieces.map(({ text, differs }, at) =>
        differs ? <Mark key={`${at}`}>{text}</Mark> : <span key={`${at}`}>{text}</span>,
      )}
    </p>
  );
}
