// Counts, source and dates of the records. Knows nothing of Jupyter.
import type { RecordsView } from "../../contract.gen";
import { count } from "../../ui/numbers";
import { Stat, Stats } from "../../ui/Stat";
import { ago, exact } from "../../ui/time";

export function Counts({ view }: { readonly view: RecordsView }) {
  const { health } = view;
  return (
    <Stats>
      <Stat label="Records" value={count(health.total)} />
      <Stat label="Valid" value={count(health.valid)} />
      <Stat label="Invalid" value={count(health.invalid)} />
      <Stat label="Duplicates" value={count(health.duplicates)} note="among the invalid" />
      <Stat label="Refused lines" value={count(health.refused_lines)} note="of files, no records" />
      <Stat label="Generated" value={count(view.generated)} />
    </Stats>
  );
}

const SOURCES = { gateway: "Gateway traces", upload: "Uploaded file" } as const;
const MOST_NAMES = 4;

export function Origin({ view }: { readonly view: RecordsView }) {
  const { dates, imports, pulled } = view;
  const told = imports.filter((one) => one.current && one.imported > 0);
  const names = [...new Set(told.map((one) => one.source))];
  const more = names.length > MOST_NAMES ? ` and ${count(names.length - MOST_NAMES)} more` : "";
  return (
    <dl className="rft-facts">
      <dt>Source</dt>
      <dd className="rft-wrap">
        {SOURCES[view.source]}
        {names.length > 0 && `: ${names.slice(0, MOST_NAMES).join(", ")}${more}`}
      </dd>
      {pulled.map(({ location, read_at }) => (
        <PulledFrom key={location} location={location} readAt={read_at} />
      ))}
      <dt>Recorded</dt>
      <dd>{between(dates.recorded_first, dates.recorded_last) ?? "Times are not known"}</dd>
      <dt>Added</dt>
      <dd>{between(dates.added_first, dates.added_last) ?? "Nothing yet"}</dd>
    </dl>
  );
}

function PulledFrom({ location, readAt }: { readonly location: string; readonly readAt: string }) {
  return (
    <>
      <dt>Traces from</dt>
      <dd className="rft-wrap">
        <span className="rft-mono">{location}</span>
        {", read "}
        <time dateTime={readAt} title={exact(readAt)}>
          {ago(readAt)}
        </time>
      </dd>
    </>
  );
}

function between(first: string | null, last: string | null): string | null {
  if (!first || !last) return null;
  const [from, to] = [exact(first), exact(last)];
  return from === to ? from : `${from} to ${to}`;
}
