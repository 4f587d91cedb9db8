// The list of datasets.
import { Database, Plus, Search } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { AppCalls, AppTraits, DatasetCard } from "../../contract.gen";
import { useRevision, widgetHooks } from "../../host/bridge";
import { useDownload } from "../../host/download";
import { useAction, useLoaded } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { Confirm } from "../../ui/Confirm";
import { Empty } from "../../ui/Empty";
import { counted } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { useToast } from "../../ui/toasts";
import { useSettled } from "../../ui/useSettled";
import { PageHead } from "../PageHead";
import type { ListQuery } from "../router";
import { Link, useRouting } from "../routing";
import { Card, type CardActions } from "./Card";
import { deleteWords } from "./words";

const { useRpc } = widgetHooks<AppTraits, AppCalls>();

const STATUSES: readonly (readonly [value: ListQuery["status"], words: string])[] = [
  [null, "All Status"],
  ["in_progress", "In Progress"],
  ["attention", "Needs Attention"],
  ["training", "Training"],
  ["complete", "Complete"],
];
const SORTS: readonly (readonly [value: ListQuery["sort"], words: string])[] = [
  ["updated", "Last Updated"],
  ["name", "Name"],
  ["records", "Records Count"],
];

export function ListPage({ query }: { readonly query: ListQuery }) {
  const rpc = useRpc();
  const say = useToast();
  const { go } = useRouting();
  const { search, status, sort } = query;
  const revision = useRevision();
  const asked = useSettled(search, 150).value;
  const listed = useLoaded(
    (signal) => rpc.call("list_datasets", { search: asked, status, sort }, signal),
    { revision, subject: JSON.stringify([asked, status, sort]) },
  );
  // What stood there stays until the new answer comes: the page does not jump while one types.
  const last = useRef<readonly DatasetCard[] | null>(null);
  if (listed.value) last.current = listed.value;
  const cards = listed.value ?? last.current;
  const [deleting, setDeleting] = useState<DatasetCard | null>(null);
  const download = useDownload();
  const sample = useAction(async () =>
    go({ page: "canvas", id: await rpc.call("load_sample", {}) }),
  );
  const duplicate = useAction(async (card: DatasetCard) => {
    const copy = await rpc.call("duplicate_dataset", { dataset: card.id });
    say({ title: "Duplicated", text: `The copy is called ${copy}.`, tone: "ok" });
  });
  const remove = useAction(async (card: DatasetCard) => {
    await rpc.call("delete_dataset", { dataset: card.id });
    say({ title: "Deleted", text: `${card.name} is gone.`, tone: "ok" });
    listed.reload();
  });
  const actions: CardActions = {
    onOpen: ({ id }) => go({ page: "canvas", id }),
    onDuplicate: (card) => void duplicate.run(card),
    onExport: async ({ id }) => {
      const prepare = (signal: AbortSignal) => rpc.call("export_dataset", { dataset: id }, signal);
      const saved = await download.start(prepare);
      if (saved) say({ title: "Exported", text: saved, tone: "ok" });
    },
    onDelete: setDeleting,
  };
  const isFiltered = search !== "" || status !== null;
  const problem = duplicate.problem ?? remove.problem ?? sample.problem ?? download.problem;
  const clear = () => {
    for (const one of [duplicate, remove, sample, download]) one.clear();
  };

  return (
    <>
      <PageHead name="Your Datasets">
        <Link to={{ page: "create" }} className="rft-button rft-button-main">
          <Plus size={14} aria-hidden />
          New Dataset
        </Link>
      </PageHead>
      <div className="rft-page-body">
        {(isFiltered || (cards?.length ?? 0) > 0) && <Toolbar query={query} />}
        {problem && <ProblemNote problem={problem} onRetry={clear} />}
        {listed.problem && <ProblemNote problem={listed.problem} onRetry={listed.reload} />}
        {!cards && !listed.problem && <CardSkeletons />}
        {cards && cards.length > 0 && (
          <ul className="rft-datasets" aria-label="Datasets" aria-busy={listed.isLoading}>
            {cards.map((card) => (
              <Card key={card.id} card={card} {...actions} />
            ))}
          </ul>
        )}
        {cards?.length === 0 && (isFiltered ? <NoMatch /> : <First sample={sample} />)}
        <p className="rft-hidden" role="status">
          {listed.value ? counted(listed.value.length, "dataset") : ""}
        </p>
      </div>
      {deleting && (
        <Confirm
          title="Delete Dataset?"
          action="Delete"
          isDangerous
          onCancel={() => setDeleting(null)}
          onConfirm={() => {
            setDeleting(null);
            void remove.run(deleting);
          }}
        >
          {deleteWords(deleting.name, deleting.records)}
        </Confirm>
      )}
    </>
  );
}

function Toolbar({ query }: { readonly query: ListQuery }) {
  const { replace } = useRouting();
  const field = useRef<HTMLInputElement>(null);
  const set = (news: Partial<ListQuery>) => replace({ page: "list", ...query, ...news });
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      const { activeElement } = document;
      if (activeElement && activeElement !== document.body) return;
      event.preventDefault();
      field.current?.focus();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && query.search) set({ search: "" });
  };
  return (
    <search className="rft-list-tools">
      <span className="rft-list-search">
        <Search size={14} aria-hidden />
        <input
          ref={field}
          type="search"
          className="rft-input"
          placeholder="Search datasets..."
          aria-label="Search datasets by name"
          maxLength={200}
          value={query.search}
          onChange={(event) => set({ search: event.currentTarget.value })}
          onKeyDown={onKeyDown}
        />
      </span>
      <Choice
        label="Status"
        options={STATUSES}
        value={query.status}
        onChange={(status) => set({ status })}
      />
      <Choice
        label="Sort by"
        options={SORTS}
        value={query.sort}
        onChange={(sort) => set({ sort })}
      />
    </search>
  );
}

interface ChoiceProps<V> {
  readonly label: string;
  readonly value: V;
  readonly options: readonly (readonly [value: V, words: string])[];
  onChange(value: V): void;
}

function Choice<V extends string | null>({ label, value, options, onChange }: ChoiceProps<V>) {
  return (
    <select
      className="rft-input"
      aria-label={label}
      value={value ?? ""}
      onChange={(event) => {
        const found = options.find(([one]) => (one ?? "") === event.currentTarget.value);
        if (found) onChange(found[0]);
      }}
    >
      {options.map(([one, words]) => (
        <option key={words} value={one ?? ""}>
          {words}
        </option>
      ))}
    </select>
  );
}

function CardSkeletons() {
  return (
    <div className="rft-datasets" role="status" aria-label="Loading">
      {[0, 1, 2].map((index) => (
        <span key={index} className="rft-card rft-dataset-card rft-skeleton" />
      ))}
    </div>
  );
}

function NoMatch() {
  const { replace } = useRouting();
  const all = { page: "list", search: "", status: null, sort: "updated" } as const;
  return (
    <Empty
      title="No dataset matches"
      action={<Button onClick={() => replace(all)}>Show All Datasets</Button>}
    >
      Try another name or another status.
    </Empty>
  );
}

function First({ sample }: { readonly sample: ReturnType<typeof useAction<[]>> }) {
  return (
    <Empty
      title="No datasets yet"
      action={
        <div className="rft-row">
          <Link to={{ page: "create" }} className="rft-button rft-button-main">
            Create Dataset
          </Link>
          <Button
            icon={<Database size={14} aria-hidden />}
            isBusy={sample.isBusy}
            onClick={() => void sample.run()}
          >
            Load the Sample
          </Button>
        </div>
      }
    >
      Create your first dataset from gateway traces to start training custom models. Or look around
      first with the sample: conversations of a support desk.
    </Empty>
  );
}
