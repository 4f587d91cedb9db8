// One answer at a time, by keys alone. It shows what was asked and answered, and nothing else.
import { SkipForward, Undo2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { LabellingView, Problem, ShownAnswer } from "../../contract.gen";
import { Conversation, Tools } from "../../records_grid/record/Conversation";
import { Button } from "../../ui/Button";
import { Empty } from "../../ui/Empty";
import { counted } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { useEscape } from "../../ui/useEscape";
import type { Labelling, Person } from "./useLabelling";

interface Props {
  readonly view: LabellingView;
  readonly person: Person;
  readonly labelling: Labelling;
  readonly answer: ShownAnswer | null;
  readonly problem: Problem | null;
  onStop(): void;
  onCard(): void;
}

export interface Choice {
  readonly value: number;
  readonly words: string;
  readonly key: string;
}

/** What may be said, each with its key. */
export function choicesOf(view: LabellingView, scale: Person["scale"]): readonly Choice[] {
  if (scale === "pass_fail") {
    return view.pass_fail.map((words, value) => ({
      value,
      words,
      key: words.charAt(0).toLowerCase(),
    }));
  }
  return view.five.map((words, place) => ({ value: place + 1, words, key: String(place + 1) }));
}

export function Judge({ view, person, labelling, answer, problem, onStop, onCard }: Props) {
  const { current, done, total, skipped } = labelling;
  const pane = useRef<HTMLElement>(null);
  const notes = useRef<HTMLInputElement>(null);
  const [note, setNote] = useState("");
  const choices = choicesOf(view, person.scale);
  useEscape(notes, () => pane.current?.focus());
  useEffect(() => {
    setNote(labelling.note);
    pane.current?.focus();
    pane.current?.scrollTo?.({ top: 0 });
  }, [current]);

  const isReady = answer !== null;
  const give = (value: number) => isReady && labelling.give(value, note.trim());
  const keys = (event: React.KeyboardEvent<HTMLElement>) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    if (target.matches("input, textarea, select")) return;
    const key = event.key.toLowerCase();
    const chosen = choices.find((one) => one.key === key);
    const acts: Readonly<Record<string, () => void>> = {
      s: labelling.skip,
      u: labelling.undo,
      n: () => notes.current?.focus(),
    };
    const act = chosen ? () => give(chosen.value) : Object.hasOwn(acts, key) ? acts[key] : null;
    if (!act || event.repeat) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the buttons in it
    <div className="rft-label" onKeyDown={keys}>
      <div className="rft-label-progress">
        <progress
          className="rft-job-bar"
          max={Math.max(1, total)}
          value={done}
          aria-label="Answers labelled"
        />
        <span role="status">
          {`${done} of ${total} labelled`}
          {skipped > 0 && `, ${skipped} skipped`}
        </span>
        <Button onClick={onStop}>Stop for Now</Button>
      </div>
      {labelling.problem && <ProblemNote problem={labelling.problem} onRetry={labelling.reload} />}
      {problem && <ProblemNote problem={problem} />}
      <section
        ref={pane}
        className="rft-label-pane"
        aria-label="Answer to label"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes the keys, scrolls, and keeps the focus
        tabIndex={0}
      >
        {answer ? <Shown answer={answer} /> : <Waiting {...{ labelling, onCard }} />}
      </section>
      {current !== null && (
        <>
          {/* biome-ignore lint/a11y/useSemanticElements: buttons that act, no form */}
          <div className="rft-label-choices" role="group" aria-label="Your label">
            {choices.map(({ value, words, key }) => (
              <Button key={value} disabled={!isReady} onClick={() => give(value)}>
                <kbd>{key}</kbd> {words}
              </Button>
            ))}
          </div>
          <div className="rft-row">
            <input
              ref={notes}
              className="rft-input rft-label-note"
              aria-label="Why, if you like"
              placeholder="Why, if you like  ( n )"
              value={note}
              onChange={(event) => setNote(event.currentTarget.value)}
            />
            <Button icon={<SkipForward size={14} aria-hidden />} onClick={labelling.skip}>
              Skip <kbd>s</kbd>
            </Button>
            <Undo labelling={labelling} />
          </div>
        </>
      )}
    </div>
  );
}

function Undo({ labelling }: { readonly labelling: Labelling }) {
  return (
    <Button
      icon={<Undo2 size={14} aria-hidden />}
      disabled={!labelling.canUndo}
      onClick={labelling.undo}
    >
      Undo <kbd>u</kbd>
    </Button>
  );
}

function Shown({ answer }: { readonly answer: ShownAnswer }) {
  return (
    <>
      <h3 className="rft-section-title">Prompt</h3>
      <Conversation messages={answer.prompt} />
      {answer.tools.length > 0 && (
        <details className="rft-label-tools">
          <summary>{counted(answer.tools.length, "tool")} on offer</summary>
          <Tools tools={answer.tools} />
        </details>
      )}
      <h3 className="rft-section-title rft-label-answer">Answer</h3>
      <Conversation messages={answer.answer} />
    </>
  );
}

interface WaitingProps {
  readonly labelling: Labelling;
  onCard(): void;
}

function Waiting({ labelling, onCard }: WaitingProps) {
  const { current, skipped, done, isLoading } = labelling;
  if (current !== null || isLoading) return <Skeleton lines={8} />;
  if (skipped > 0) {
    return (
      <Empty
        title="Only skipped answers are left"
        action={
          <Button onClick={labelling.again}>{`Label ${counted(skipped, "skipped answer")}`}</Button>
        }
      >
        They count for nothing until somebody labels them.
      </Empty>
    );
  }
  return (
    <Empty
      title={done > 0 ? "All of them are labelled" : "Nothing to label"}
      action={
        <>
          {labelling.canUndo && <Undo labelling={labelling} />}{" "}
          {done > 0 && (
            <Button look="main" onClick={onCard}>
              See the Trust Card
            </Button>
          )}
        </>
      }
    >
      {done > 0
        ? "Thank you. Now see whether the grader says what you say."
        : "No valid record has a recorded answer."}
    </Empty>
  );
}
