// Traces of a source: filtered, searched, selected.
import { RefreshCw } from "lucide-react";
import type { ScanState, TraceQuery } from "../../contract.gen";
import { useAction } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { Empty } from "../../ui/Empty";
import { count, counted } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { useRpc, useTrait } from "./hooks";
import { Sources } from "./Sources";
import { TraceFilters, UNFILTERED } from "./TraceFilters";
import { SelectAll, TraceList } from "./TraceList";
import type { Traces } from "./useTraces";

interface Props {
  readonly traces: Traces;
  /** As it stands in the fields; the list follows when it has settled. */
  readonly query: TraceQuery;
  onQuery(query: TraceQuery): void;
}

export function TraceSelector(props: Props) {
  const scan = useTrait("scan");
  return (
    <div className="rft-create-part">
      <Sources scan={scan} />
      {scan && <Opened {...props} scan={scan} />}
    </div>
  );
}

function Opened({ scan, traces, query, onQuery }: Props & { readonly scan: ScanState }) {
  const rpc = useRpc();
  const refresh = useAction(() => rpc.call("refresh_traces", {}));
  if (scan.status === "failed" && scan.problem) {
    return <ProblemNote problem={scan.problem} onRetry={() => void refresh.run()} />;
  }
  const { page } = traces;
  const isReading = scan.status === "reading";
  return (
    <>
      {isReading && (
        <div className="rft-job" role="status">
          <span className="rft-job-words">
            <strong>Reading</strong> {`${counted(scan.read, "trace")} so far`}
          </span>
          <progress className="rft-job-bar" aria-label="Reading the traces" />
        </div>
      )}
      {scan.problem && <ProblemNote problem={scan.problem} />}
      {scan.status === "ready" && scan.read === 0 ? (
        <Empty
          title="There are no traces in it yet"
          action={<RefreshButton isBusy={scan.is_refreshing} onClick={() => void refresh.run()} />}
        >
          Send some requests through the gateway, then refresh.
        </Empty>
      ) : (
        <>
          <TraceFilters query={query} models={scan.models} onChange={onQuery} />
          <div className="rft-row rft-trace-counts">
            <span className="rft-note" role="status">
              {page
                ? `Matching ${count(page.matching)} of ${count(page.total)} total`
                : "Matching..."}
            </span>
            {scan.fresh > 0 && (
              <Button look="main" onClick={() => void refresh.run()}>
                {`Show ${counted(scan.fresh, "new trace")}`}
              </Button>
            )}
            <RefreshButton
              isBusy={scan.is_refreshing || refresh.isBusy}
              onClick={() => void refresh.run()}
            />
          </div>
          {traces.problem && scan.status === "ready" && (
            <ProblemNote problem={traces.problem} onRetry={traces.reload} />
          )}
          <section className="rft-traces" aria-label="Traces of the source">
            <SelectAll traces={traces} />
            {page && page.matching === 0 && !isReading && !traces.isLoading ? (
              <Empty
                title="No traces match your filters"
                action={
                  <button type="button" className="rft-link" onClick={() => onQuery(UNFILTERED)}>
                    Clear all filters
                  </button>
                }
              />
            ) : page ? (
              <TraceList traces={traces} subject={JSON.stringify(query)} />
            ) : (
              <Skeleton lines={6} />
            )}
          </section>
          <Selected traces={traces} />
          <Losses scan={scan} />
        </>
      )}
    </>
  );
}

function RefreshButton(props: { readonly isBusy: boolean; onClick(): void }) {
  return (
    <Button {...props} look="ghost" icon={<RefreshCw size={14} aria-hidden />}>
      Refresh
    </Button>
  );
}

function Selected({ traces }: { readonly traces: Traces }) {
  const { picked_total: total = 0, picked_matching: matching = 0 } = traces.page ?? {};
  const hidden = total - matching;
  return (
    <div className="rft-row" role="status">
      <strong>{`Selected: ${counted(total, "trace")}`}</strong>
      {hidden > 0 && <span className="rft-note">{`${count(hidden)} hidden by the filters`}</span>}
      {total > 0 && (
        <button type="button" className="rft-link" onClick={traces.clear}>
          Clear selection
        </button>
      )}
    </div>
  );
}

function Losses({ scan }: { readonly scan: ScanState }) {
  return (
    <>
      {scan.lost > 0 && (
        <p className="rft-note">
          {`${counted(scan.lost, "model call")} of the source cannot be read, such as failed ones.`}
        </p>
      )}
      {!scan.is_searched_whole && (
        <p className="rft-note">
          The source is very large: of a part of it, only the beginnings are searched.
        </p>
      )}
    </>
  );
}
