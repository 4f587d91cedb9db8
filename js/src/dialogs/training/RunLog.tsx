import { useEffect, useRef } from "react";
import type { LogLine } from "../../contract.gen";
import { count } from "../../ui/numbers";
import { exact } from "../../ui/time";

interface Props {
  readonly lines: readonly LogLine[];
  /** Lines of the whole log; the page has the newest of them. */
  readonly total: number;
  readonly isOpen: boolean;
}

/** The newest lines of a run's log; the last one stays in view. */
export function RunLog({ lines, total, isOpen }: Props) {
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    if (list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [total]);
  if (lines.length === 0) return null;
  const title =
    total > lines.length
      ? `Log (the newest ${count(lines.length)} of ${count(total)} lines)`
      : `Log (${count(total)})`;
  return (
    <details className="rft-training-more" open={isOpen}>
      <summary>{title}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard */}
      <ol ref={list} className="rft-training-log" tabIndex={0} aria-label="Log">
        {lines.map((line, index) => (
          <li key={total - lines.length + index}>
            <time dateTime={line.at} title={exact(line.at)}>
              {new Date(line.at).toLocaleTimeString("en-GB")}
            </time>
            <span>{line.message}</span>
          </li>
        ))}
      </ol>
    </details>
  );
}
