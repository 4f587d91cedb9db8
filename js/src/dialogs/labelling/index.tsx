// widgets/dialogs/labelling.py on the page.
import { useState } from "react";
import {
  DIALOG_TITLES,
  type LabellingDialogCalls,
  type LabellingDialogTraits,
  type LabellingView,
} from "../../contract.gen";
import { useFollow, useRevision, widgetHooks } from "../../host/bridge";
import { useAction, useLoaded } from "../../host/loaded";
import { useNavigation } from "../../host/navigation";
import { Button } from "../../ui/Button";
import { DialogFrame } from "../../ui/DialogFrame";
import { Empty } from "../../ui/Empty";
import { counted } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { Tabs } from "../../ui/Tabs";
import { useToast } from "../../ui/toasts";
import { CardPane } from "./CardPane";
import { Judge } from "./Judge";
import { Start } from "./Start";
import { useAnswer } from "./useAnswer";
import { type Person, useLabelling } from "./useLabelling";

const { useTrait, useRpc } = widgetHooks<LabellingDialogTraits, LabellingDialogCalls>();

export function LabellingDialogWidget() {
  useFollow();
  const rpc = useRpc();
  const node = useTrait("node");
  const { open } = useNavigation();
  const revision = useRevision();
  const [isAtWork, setAtWork] = useState(false);
  // Each label is a change of the dataset; nothing of what stands here is another for it.
  const [since, setSince] = useState(revision);
  if (!isAtWork && since !== revision) setSince(revision);
  const view = useLoaded((signal) => rpc.call("load", {}, signal), { revision: since });
  const title = DIALOG_TITLES.labelling;
  if (node?.blocked_reason) {
    return (
      <DialogFrame title={title}>
        <Empty
          title={node.blocked_reason}
          action={
            <Button look="main" onClick={() => open({ kind: "dialog", name: "records" })}>
              Open {DIALOG_TITLES.records}
            </Button>
          }
        >
          There is no valid record with an answer to label yet.
        </Empty>
      </DialogFrame>
    );
  }
  if (!view.value) {
    return (
      <DialogFrame title={title}>
        {view.problem ? (
          <ProblemNote problem={view.problem} onRetry={view.reload} />
        ) : (
          <Skeleton lines={10} />
        )}
      </DialogFrame>
    );
  }
  return (
    <Loaded
      view={view.value}
      isAtWork={isAtWork}
      onWork={(next) => {
        setAtWork(next);
        if (!next) view.reload();
      }}
    />
  );
}

interface Props {
  readonly view: LabellingView;
  readonly isAtWork: boolean;
  onWork(isAtWork: boolean): void;
}

function Loaded({ view, isAtWork, onWork }: Props) {
  const rpc = useRpc();
  const toast = useToast();
  const [tab, setTab] = useState<"label" | "card">("label");
  const [person, setPerson] = useState<Person>({
    labeller: "me",
    scale: "pass_fail",
    n: view.wanted,
  });
  const take = useAction(async (field: string) => {
    const taken = await rpc.call("import_labels", { field });
    const text = taken.without > 0 ? `${counted(taken.without, "record")} without a label` : "";
    toast({ title: `${counted(taken.imported, "label")} of ${field} taken`, text, tone: "ok" });
  });
  const show = (next: "label" | "card") => {
    // Who goes on labelling must not have what the grader said before their eyes.
    if (isAtWork) onWork(false);
    setTab(next);
  };
  const label = isAtWork ? (
    <AtWork view={view} person={person} onStop={() => onWork(false)} onCard={() => show("card")} />
  ) : (
    <>
      {take.problem && <ProblemNote problem={take.problem} />}
      <Start
        view={view}
        person={person}
        isImporting={take.isBusy}
        onChange={setPerson}
        onStart={() => {
          setPerson({ ...person, labeller: person.labeller.trim() });
          onWork(true);
        }}
        onImport={(field) => void take.run(field)}
      />
    </>
  );
  const labels = view.labellers.reduce((sum, one) => sum + one.labels, 0);
  return (
    <DialogFrame
      title={DIALOG_TITLES.labelling}
      subtitle={
        labels === 0
          ? "No labels yet"
          : `${counted(labels, "label")} by ${counted(view.labellers.length, "person", "people")}`
      }
    >
      <Tabs<"label" | "card">
        label="Labels and what they say"
        value={tab}
        onChange={show}
        tabs={[
          { value: "label", title: "Label", body: label },
          { value: "card", title: "Trust Card", body: <CardPane view={view} labels={labels} /> },
        ]}
      />
    </DialogFrame>
  );
}

interface AtWorkProps {
  readonly view: LabellingView;
  readonly person: Person;
  onStop(): void;
  onCard(): void;
}

function AtWork({ view, person, onStop, onCard }: AtWorkProps) {
  const rpc = useRpc();
  const labelling = useLabelling(rpc, person);
  const { answer, problem } = useAnswer(rpc, labelling.current, labelling.next);
  return <Judge {...{ view, person, labelling, answer, problem, onStop, onCard }} />;
}
