// What the chosen data have in common. Knows nothing of Jupyter.
import { Sparkles } from "lucide-react";
import { useState } from "react";
import type { PatternState } from "../../contract.gen";
import { Badge } from "../../ui/Badge";
import { counted, percent } from "../../ui/numbers";
import { Skeleton } from "../../ui/Skeleton";

const LONG = 160;

interface Props {
  readonly state: PatternState;
  /** What to do so that there is one. */
  readonly hint: string;
}

export function Pattern({ state, hint }: Props) {
  const { pattern, is_at_work: isAtWork } = state;
  return (
    <section className="rft-card rft-pattern" aria-label="Detected Pattern" aria-busy={isAtWork}>
      <h2 className="rft-pattern-head">
        <Sparkles size={14} aria-hidden />
        Detected Pattern
        {isAtWork && <span className="rft-spinner" role="status" aria-label="Analyzing" />}
      </h2>
      {!pattern && (isAtWork ? <Skeleton lines={3} /> : <p className="rft-note">{hint}</p>)}
      {pattern && (
        <>
          <strong className="rft-pattern-title">{pattern.title}</strong>
          {pattern.system_prompt && (
            <Prompt key={pattern.system_prompt.text} {...pattern.system_prompt} />
          )}
          <div className="rft-row rft-pattern-badges">
            {pattern.capabilities.map(({ label, share, rule }) => (
              <span key={label} title={`${rule}: ${percent(share)} of them`}>
                <Badge tone="ok">{label}</Badge>
              </span>
            ))}
            {pattern.tool_count > 0 && (
              <span title={pattern.tools.map(({ name }) => name).join(", ")}>
                <Badge tone="busy">{counted(pattern.tool_count, "tool")}</Badge>
              </span>
            )}
          </div>
          <span className="rft-note">{`From ${counted(pattern.traces, "conversation")}`}</span>
        </>
      )}
    </section>
  );
}

interface PromptProps {
  readonly text: string;
  readonly share: number;
  readonly is_template: boolean;
}

function Prompt({ text, share, is_template }: PromptProps) {
  const [isOpen, setOpen] = useState(false);
  const isLong = text.length > LONG || text.includes("\n");
  return (
    <div>
      <span className="rft-note">
        {`System prompt (${percent(share)} of them${is_template ? ", {…} differs" : ""})`}
      </span>
      <p className={isOpen ? "rft-prompt rft-prompt-open" : "rft-prompt"}>{text}</p>
      {isLong && (
        <button
          type="button"
          className="rft-link"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? "Collapse" : "Expand"}
        </button>
      )}
    </div>
  );
}
