// A long list of traces with a box at each; only the rows that are in sight are drawn.
import { useEffect, useRef, useState } from "react";
import type { TraceRow } from "../../contract.gen";
import { count, counted } from "../../ui/numbers";
import { ago, exact } from "../../ui/time";
import type { Traces } from "./useTraces";
import { MAX_ROWS, ROW, shownRows } from "./window";

interface Props {
  readonly traces: Traces;
  /** Another filter begins at its first row. */
  readonly subject: string;
}

export function TraceList({ traces, subject }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(0);
  const matching = traces.page?.matching ?? 0;
  const { first, last } = shownRows(top, height, matching);

  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    setHeight(element.clientHeight);
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (subject && frame.current) frame.current.scrollTop = 0;
  }, [subject]);
  const { show } = traces;
  useEffect(() => {
    if (last >= first) show(first, last);
  });

  const rows = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  return (
    <div
      ref={frame}
      className="rft-trace-frame"
      aria-busy={traces.isLoading}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
    >
      <ul
        className="rft-trace-list"
        aria-label="Traces"
        style={{ height: Math.min(matching, MAX_ROWS) * ROW }}
      >
        {rows.map((index) => (
          <li
            key={index}
            className="rft-trace-item"
            style={{ top: index * ROW, height: ROW }}
            aria-setsize={matching}
            aria-posinset={index + 1}
          >
            <Item traces={traces} row={traces.row(index)} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Item({ traces, row }: { readonly traces: Traces; readonly row: TraceRow | undefined }) {
  if (!row) return <span className="rft-skeleton rft-trace-waiting" />;
  const { number, preview, model, turns, tools, started_at } = row;
  const facts = [
    model ?? "unknown model",
    counted(turns, "turn"),
    ...(tools > 0 ? [counted(tools, "tool")] : []),
    ...(row.has_response ? [] : ["no response"]),
  ];
  return (
    <label className="rft-trace">
      <input
        type="checkbox"
        className="rft-checkbox"
        checked={traces.isPicked(number)}
        onChange={(event) => traces.pick(number, event.currentTarget.checked)}
      />
      <span className="rft-trace-text">{preview || "(no text)"}</span>
      <span className="rft-trace-facts">
        {`${facts.join(" • ")} • `}
        {started_at ? (
          <time dateTime={started_at} title={exact(started_at)}>
            {ago(started_at)}
          </time>
        ) : (
          "no time"
        )}
      </span>
    </label>
  );
}

/** Selects all that the filter leaves, or takes just those out of the selection. */
export function SelectAll({ traces }: { readonly traces: Traces }) {
  const box = useRef<HTMLInputElement>(null);
  const { matching = 0, picked_matching: picked = 0 } = traces.page ?? {};
  const isSome = picked > 0 && picked < matching && !traces.isAllPicked;
  useEffect(() => {
    if (box.current) box.current.indeterminate = isSome;
  }, [isSome]);
  return (
    <label className="rft-check rft-trace-all">
      <input
        ref={box}
        type="checkbox"
        checked={traces.isAllPicked}
        disabled={matching === 0}
        onChange={() => traces.pickAll(!traces.isAllPicked)}
      />
      <span>{`Select All (${count(matching)})`}</span>
    </label>
  );
}
