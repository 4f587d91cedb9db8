// Settings of a dataset.
import type { DatasetPageCalls, DatasetPageTraits, DatasetSettings } from "../../contract.gen";
import { useRevision, widgetHooks } from "../../host/bridge";
import { useLoaded } from "../../host/loaded";
import { count } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { Stat, Stats } from "../../ui/Stat";
import { money } from "../../ui/spending";
import { PageHead } from "../PageHead";
import { LIST } from "../router";
import { Link } from "../routing";
import { Connections } from "./Connections";
import { DangerZone } from "./DangerZone";
import { General } from "./General";
import { Models } from "./models";

const { useRpc, useTrait } = widgetHooks<DatasetPageTraits, DatasetPageCalls>();

export function SettingsPage({ id }: { readonly id: string }) {
  const rpc = useRpc();
  const name = useTrait("name");
  const gone = useTrait("problem");
  const revision = useRevision();
  const loaded = useLoaded((signal) => rpc.call("settings", {}, signal), { revision });
  const problem = gone ?? loaded.problem;
  return (
    <>
      <PageHead
        name={`Settings of ${name}`}
        title="Settings"
        back={{ to: { page: "canvas", id }, label: "Back to the pipeline" }}
        above={
          <>
            <Link to={LIST} className="rft-link">
              Your Datasets
            </Link>
            {" › "}
            {name}
          </>
        }
      />
      <div className="rft-page-body rft-settings">
        {problem && <ProblemNote problem={problem} onRetry={loaded.reload} />}
        {!loaded.value && !problem && <Skeleton lines={10} />}
        {loaded.value && !gone && (
          <>
            <General key={id} info={loaded.value.info} onSaved={loaded.reload} />
            <Models />
            <Connections connections={loaded.value.connections} />
            <Statistics {...loaded.value} />
            <DangerZone info={loaded.value.info} records={loaded.value.stats.total_records} />
          </>
        )}
      </div>
    </>
  );
}

const VERDICTS = { pending: "Not run yet", go: "GO", caution: "CAUTION", no_go: "NO_GO" } as const;

const PURPOSES = new Map([
  ["judge", "judge"],
  ["generate", "generate"],
  ["topics", "name and place topics"],
  ["rollout", "answer in dry runs"],
  ["embed", "embed"],
  ["test", "test"],
]);

function Statistics({ stats, costs, total }: DatasetSettings) {
  const { balance_score, dry_run_status, dry_run_mean } = stats;
  const asked = Object.entries(costs).map(
    ([purpose, { calls }]) => `${count(calls)} to ${PURPOSES.get(purpose) ?? purpose}`,
  );
  return (
    <section className="rft-card" aria-label="Statistics">
      <h2 className="rft-card-title">Statistics</h2>
      <Stats>
        <Stat label="Records" value={count(stats.total_records)} />
        <Stat label="Valid" value={count(stats.valid_records)} />
        <Stat label="Generated" value={count(stats.generated_records)} />
        <Stat label="Topics" value={count(stats.topics_count)} />
        <Stat label="Balance" value={balance_score === null ? "–" : balance_score.toFixed(2)} />
        <Stat label="Training runs" value={count(stats.training_runs)} />
        <Stat
          label="Last dry run"
          value={dry_run_status ? VERDICTS[dry_run_status] : "–"}
          note={dry_run_mean === null ? undefined : `Mean ${dry_run_mean.toFixed(2)}`}
        />
        <Stat label="Calls to models" value={count(total.calls)} note={asked.join(", ")} />
        <Stat label="Tokens" value={count(total.prompt_tokens + total.completion_tokens)} />
        <Stat
          label="Spent on models"
          value={money(total.cost_micro_usd)}
          note={total.cost_micro_usd === null ? "A price is missing." : undefined}
        />
      </Stats>
    </section>
  );
}
