// Which card to make, at what price, and the one that was made last.
import { useState } from "react";
import {
  type LabellingDialogCalls,
  type LabellingDialogTraits,
  type LabellingView,
  SETTINGS,
} from "../../contract.gen";
import { useRevision, widgetHooks } from "../../host/bridge";
import { useJob, useJobEnd } from "../../host/jobs";
import { useAction, useLoaded } from "../../host/loaded";
import { useNavigation } from "../../host/navigation";
import { Button } from "../../ui/Button";
import { CapField } from "../../ui/CapField";
import { Empty } from "../../ui/Empty";
import { ChoiceField, NumberField } from "../../ui/Field";
import { JobProgress } from "../../ui/JobProgress";
import { ProblemNote } from "../../ui/ProblemNote";
import { estimateWords, pastErrorWords } from "../../ui/spending";
import { CardView } from "./CardView";

const { useRpc } = widgetHooks<LabellingDialogTraits, LabellingDialogCalls>();

interface Props {
  readonly view: LabellingView;
  readonly labels: number;
}

interface Wanted {
  readonly version: number | null;
  readonly labeller: string | null;
  readonly repeats: number;
  readonly against: number | null;
  readonly cap: number | null;
}

export function CardPane({ view, labels }: Props) {
  const rpc = useRpc();
  const navigation = useNavigation();
  const job = useJob("trust_card");
  const [wanted, setWanted] = useState<Wanted>({
    version: null,
    labeller: null,
    repeats: SETTINGS.trust.repeats,
    against: null,
    cap: null,
  });
  const card = useLoaded((signal) => rpc.call("card", {}, signal), { revision: 0 });
  useJobEnd((ended) => ended.kind === "trust_card" && card.reload());
  const chosen = view.versions.find((one) =>
    wanted.version === null ? one.in_use : one.version === wanted.version,
  );
  const asksModel =
    chosen?.asks_model === true ||
    view.versions.some((one) => one.version === wanted.against && one.asks_model);
  const { cap, ...asked } = wanted;
  const given = { ...asked, repeats: chosen?.asks_model ? wanted.repeats : 1 };
  const make = useAction(() => rpc.call("start_card", { ...given, max_cost_usd: cap }));
  if (!chosen || labels === 0) {
    return (
      <Empty
        title={chosen ? "No labels yet" : "No grader yet"}
        action={
          !chosen && (
            <Button look="main" onClick={() => navigation.open({ kind: "dialog", name: "grader" })}>
              Open Grader Config
            </Button>
          )
        }
      >
        The card holds a grader against what people say of the same answers. It takes both.
      </Empty>
    );
  }
  const others = view.versions.filter((one) => one !== chosen);
  return (
    <div className="rft-trust-pane">
      <div className="rft-label-fields">
        <ChoiceField
          label="Grader"
          value={String(chosen.version)}
          options={view.versions.map((one) => [String(one.version), versionWords(one)] as const)}
          onChange={(version) => setWanted({ ...wanted, version: Number(version) })}
        />
        <ChoiceField
          label="Labels of"
          value={wanted.labeller ?? ""}
          options={[
            ["", "Everybody"] as const,
            ...view.labellers.map(({ labeller }) => [labeller, labeller] as const),
          ]}
          onChange={(labeller) => setWanted({ ...wanted, labeller: labeller || null })}
        />
        {others.length > 0 && (
          <ChoiceField
            label="Beside"
            value={String(wanted.against ?? "")}
            options={[
              ["", "No other version"] as const,
              ...others.map((one) => [String(one.version), versionWords(one)] as const),
            ]}
            onChange={(against) =>
              setWanted({ ...wanted, against: against ? Number(against) : null })
            }
          />
        )}
        {chosen.asks_model && (
          <NumberField
            label="Gradings of each answer"
            value={wanted.repeats}
            min={1}
            max={SETTINGS.trust.most_repeats}
            hint="Several show whether it contradicts itself"
            onChange={(repeats) => setWanted({ ...wanted, repeats: Math.round(repeats) })}
          />
        )}
        {asksModel && (
          <CapField value={cap} onChange={(next) => setWanted({ ...wanted, cap: next })} />
        )}
      </div>
      <div className="rft-row">
        <Button
          look={card.value ? "plain" : "main"}
          isBusy={make.isBusy || job.isRunning}
          onClick={() => void make.run()}
        >
          {card.value ? "Make It Again" : "Make the Trust Card"}
        </Button>
        {asksModel && <Price given={given} />}
      </div>
      <JobProgress job={job} onRetry={() => void make.run()} />
      {make.problem && <ProblemNote problem={make.problem} />}
      {card.problem && <ProblemNote problem={card.problem} onRetry={card.reload} />}
      {card.value && (
        <CardView
          card={card.value}
          onRecords={(ids, badge) =>
            navigation.open({ kind: "records", preset: { where: { ids }, badge } })
          }
        />
      )}
    </div>
  );
}

function versionWords(one: LabellingView["versions"][number]): string {
  return `${one.version}: ${one.name || "unnamed"}${one.in_use ? ", in use" : ""}`;
}

type Given = LabellingDialogCalls["estimate"]["params"];

/** What it is expected to cost, said before anything is spent. */
function Price({ given }: { readonly given: Given }) {
  const rpc = useRpc();
  const { version, labeller, repeats, against } = given;
  const asked = { version, labeller, repeats, against } as Given;
  const estimate = useLoaded((signal) => rpc.call("estimate", asked, signal), {
    revision: useRevision(),
    subject: JSON.stringify(asked),
  });
  if (!estimate.value) return null;
  const past = pastErrorWords(estimate.value);
  return (
    <span className="rft-note" role="status">
      {estimateWords(estimate.value)} {past}
    </span>
  );
}
