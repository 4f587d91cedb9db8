// Where the traces come from.
import { useEffect, useRef, useState } from "react";
import type { ScanState, SourcesView, TracePlace } from "../../contract.gen";
import { useAction, useLoaded } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { ChoiceField, Field } from "../../ui/Field";
import { bytes } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { useRpc } from "./hooks";

const ANOTHER = "";
const EXAMPLES =
  "Such as http://localhost:9090, or an export of OpenTelemetry, Langfuse, LiteLLM, ...";
const API_EXAMPLE =
  "Of completions that a service stores: https://api.openai.com/v1#OPENAI_API_KEY, with the name of " +
  "the variable that holds the key.";

interface Props {
  readonly scan: ScanState | null;
}

export function Sources({ scan }: Props) {
  const rpc = useRpc();
  const found = useLoaded((signal) => rpc.call("sources", {}, signal), { revision: 0 });
  const [isOther, setOther] = useState(false);
  const open = useAction(async (location: string, name: string) => {
    await rpc.call("open_source", { location, name });
    setOther(false);
  });
  const { run } = open;
  const places = found.value?.places ?? [];
  // A service is asked only when somebody chooses it.
  const first = places.find(({ kind }) => kind !== "api");
  const isFirst = useRef(true);
  // Whoever comes here for the first time sees traces, and not a question.
  useEffect(() => {
    if (!first || scan || !isFirst.current) return;
    isFirst.current = false;
    void run(first.location, first.name);
  }, [first, scan, run]);

  if (found.problem) return <ProblemNote problem={found.problem} onRetry={found.reload} />;
  if (!found.value) return <Skeleton lines={2} />;
  const isListed = places.some(({ location }) => location === scan?.location);
  const options = [
    ...places.map((place) => [place.location, titleOf(place)] as const),
    ...(scan && !isListed ? [[scan.location, scan.name] as const] : []),
    [ANOTHER, "Another file or address..."] as const,
  ];
  const isNothing = !first && !scan;
  const isAsking = isOther || isNothing;
  return (
    <div className="rft-sources">
      {isNothing && <NoSource view={found.value} onRetry={found.reload} />}
      {options.length > 1 && (
        <ChoiceField
          label="Traces from"
          value={isAsking ? ANOTHER : (scan?.location ?? ANOTHER)}
          options={options}
          disabled={open.isBusy}
          onChange={(location) => {
            setOther(location === ANOTHER);
            const place = places.find((one) => one.location === location);
            if (place) void open.run(location, place.name);
          }}
        />
      )}
      {isAsking && <Another view={found.value} isBusy={open.isBusy} onOpen={open.run} />}
      {open.problem && <ProblemNote problem={open.problem} />}
    </div>
  );
}

function titleOf({ name, location, kind, size }: TracePlace): string {
  if (kind === "gateway" && name !== location) return `${name} (${location})`;
  return size === null ? name : `${name}, ${bytes(size)}`;
}

function NoSource({ view, onRetry }: { readonly view: SourcesView; onRetry(): void }) {
  return (
    <div className="rft-empty">
      <strong>No traces were found on this machine</strong>
      <ul className="rft-plain-list">
        <li>Start a vLLora gateway here: its store is found by itself.</li>
        <li>Or export traces from your tool, and take them in under Upload File.</li>
        {!view.any_path && (
          <li>
            Or ask whoever runs this app to name their folder in <code>RFT_WIDGETS_TRACES</code>.
          </li>
        )}
        {view.unavailable.map((words) => (
          <li key={words}>{words}</li>
        ))}
      </ul>
      <Button onClick={onRetry}>Look Again</Button>
    </div>
  );
}

interface AnotherProps {
  readonly view: SourcesView;
  readonly isBusy: boolean;
  onOpen(location: string, name: string): void;
}

function Another({ view, isBusy, onOpen }: AnotherProps) {
  const [location, setLocation] = useState("");
  return (
    <form
      className="rft-row rft-another"
      onSubmit={(event) => {
        event.preventDefault();
        if (location.trim()) onOpen(location.trim(), "");
      }}
    >
      <Field
        label={view.any_path ? "Path or address" : "Address of a gateway, or path of a file"}
        hint={view.any_path ? `${EXAMPLES} ${API_EXAMPLE}` : EXAMPLES}
      >
        {(control) => (
          <input
            {...control}
            className="rft-input"
            spellCheck={false}
            maxLength={4096}
            value={location}
            onChange={(event) => setLocation(event.currentTarget.value)}
          />
        )}
      </Field>
      <Button type="submit" isBusy={isBusy} disabled={location.trim() === ""}>
        Open
      </Button>
    </form>
  );
}
