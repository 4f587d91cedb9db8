// One record above the table: all that is known of it, and what can be done with it.
import { ArrowLeft, ChevronDown, ChevronUp, Pencil, Sparkles, Trash2 } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import type { GridContext, RecordDetail } from "../../contract.gen";
import { useAction, useLoaded } from "../../host/loaded";
import { Button, IconButton } from "../../ui/Button";
import { Confirm } from "../../ui/Confirm";
import { count } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import { useEscape } from "../../ui/useEscape";
import type { GridApi } from "../api";
import { TopicConfirm } from "../TopicConfirm";
import { Conversation, Tools } from "./Conversation";
import { Editing } from "./Editing";
import { Facts } from "./Facts";
import { History } from "./History";
import { LongText } from "./LongText";

interface Props {
  readonly api: GridApi;
  readonly id: string;
  readonly revision: number;
  readonly context: GridContext | null;
  readonly place: { readonly index: number; readonly total: number };
  onStep(by: number): Promise<void>;
  onOpen(id: string): void;
  onClose(): void;
  onChanged(): void;
}

type Asked = "delete" | "topic" | null;

export function RecordPane(props: Props) {
  const { api, id, revision, context, place, onStep, onClose, onChanged } = props;
  const pane = useRef<HTMLElement>(null);
  const nowhere = useRef<HTMLElement>(null);
  const [isEditing, setEditing] = useState(false);
  const [asked, setAsked] = useState<Asked>(null);
  const loaded = useLoaded((signal) => api.record(id, signal), { revision, subject: id });
  const record = loaded.value;
  const selection = { ids: [id] };
  const confirm = useAction(async () => {
    await api.confirmTopic(id);
    loaded.reload();
    onChanged();
  });
  const assign = useAction(async (topic: string | null) => {
    await api.assignTopic(selection, topic);
    loaded.reload();
    onChanged();
  });
  const remove = useAction(async () => {
    await api.remove(selection);
    onChanged();
    onClose();
  });
  const isBusy = confirm.isBusy || assign.isBusy || remove.isBusy;
  const problem = confirm.problem ?? assign.problem ?? remove.problem;

  const edit = useCallback((isOn: boolean) => {
    setEditing(isOn);
    pane.current?.focus(); // the button that was pressed is gone
  }, []);
  const leaveEditing = useCallback(() => edit(false), [edit]);
  useEffect(() => pane.current?.focus({ preventScroll: true }), []);
  // While something is edited, the editor decides what leaving means.
  useEscape(isEditing ? nowhere : pane, onClose);

  return (
    <section
      ref={pane}
      className="rft-rec"
      aria-label={`Record ${id}`}
      tabIndex={-1}
      onKeyDown={(event) => {
        // Dialogs that are opened from here tell of their keys here, too.
        const isHere = pane.current?.contains(event.target as Node);
        if (isEditing || !isHere || event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.key === "j") void onStep(1);
        else if (event.key === "k") void onStep(-1);
      }}
    >
      <header className="rft-rec-bar">
        <Button icon={<ArrowLeft size={14} aria-hidden />} disabled={isEditing} onClick={onClose}>
          All records
        </Button>
        <h3 className="rft-rec-title" title={id}>
          {id}
        </h3>
        <span className="rft-grid-faint rft-rec-place">
          {count(place.index + 1)} of {count(place.total)}
        </span>
        <IconButton
          label="Previous record (k)"
          disabled={isEditing || place.index <= 0}
          onClick={() => void onStep(-1)}
        >
          <ChevronUp size={16} aria-hidden />
        </IconButton>
        <IconButton
          label="Next record (j)"
          disabled={isEditing || place.index >= place.total - 1}
          onClick={() => void onStep(1)}
        >
          <ChevronDown size={16} aria-hidden />
        </IconButton>
        {record && !isEditing && (
          <>
            <Button icon={<Pencil size={13} aria-hidden />} onClick={() => edit(true)}>
              Edit
            </Button>
            <Button
              icon={<Sparkles size={13} aria-hidden />}
              onClick={() => api.generate(selection)}
            >
              Variations
            </Button>
            <Button
              look="danger"
              icon={<Trash2 size={13} aria-hidden />}
              disabled={isBusy}
              onClick={() => setAsked("delete")}
            >
              Delete
            </Button>
          </>
        )}
      </header>
      {problem && <ProblemNote problem={problem} />}
      {loaded.problem && <ProblemNote problem={loaded.problem} onRetry={loaded.reload} />}
      {!record && !loaded.problem && <Skeleton lines={10} />}
      {isEditing && (
        <Editing
          {...{ api, id, pane }}
          onDone={() => {
            leaveEditing();
            loaded.reload();
            onChanged();
          }}
          onCancel={leaveEditing}
        />
      )}
      {record && !isEditing && (
        <Body
          record={record}
          isBusy={isBusy}
          onConfirmTopic={() => void confirm.run()}
          onAssignTopic={() => setAsked("topic")}
          onOpen={props.onOpen}
        />
      )}
      {asked === "topic" && (
        <TopicConfirm
          title="Put the record under a topic"
          topics={context?.topics ?? []}
          current={record?.topic ?? null}
          onConfirm={(topic) => {
            setAsked(null);
            void assign.run(topic);
          }}
          onCancel={() => setAsked(null)}
        />
      )}
      {asked === "delete" && (
        <Confirm
          title="Delete this record?"
          action="Delete the record"
          isDangerous
          onConfirm={() => {
            setAsked(null);
            void remove.run();
          }}
          onCancel={() => setAsked(null)}
        >
          It can be brought back with Undo.
        </Confirm>
      )}
    </section>
  );
}

interface BodyProps {
  readonly record: RecordDetail;
  readonly isBusy: boolean;
  onConfirmTopic(): void;
  onAssignTopic(): void;
  onOpen(id: string): void;
}

function Body({ record, ...facts }: BodyProps) {
  const has = (json: string) => json !== "{}";
  return (
    <div className="rft-rec-body">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by keys */}
      <section className="rft-rec-main" aria-label="What it holds" tabIndex={0}>
        <Section title="Prompt">
          <Conversation messages={record.input} />
        </Section>
        <Section title="Answer">
          {record.output.length === 0 && <p className="rft-note">None was recorded.</p>}
          <Conversation messages={record.output} />
          {record.finish_reason && (
            <p className="rft-grid-faint">finish reason: {record.finish_reason}</p>
          )}
        </Section>
        {record.tools.length > 0 && (
          <Section title={`Tools (${count(record.tools.length)})`}>
            <Tools tools={record.tools} />
            {record.tool_choice && (
              <p className="rft-grid-faint">tool choice: {record.tool_choice}</p>
            )}
          </Section>
        )}
        {has(record.item) && (
          <Section title="Item">
            <LongText text={record.item} isCode />
          </Section>
        )}
        {has(record.metadata) && (
          <Section title="Metadata">
            <LongText text={record.metadata} isCode />
          </Section>
        )}
        <Section title="History">
          <History edits={record.edits} />
        </Section>
      </section>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by keys */}
      <aside className="rft-rec-side" aria-label="About the record" tabIndex={0}>
        <Facts record={record} {...facts} />
      </aside>
    </div>
  );
}

function Section(props: { readonly title: string; readonly children: React.ReactNode }) {
  return (
    <section className="rft-rec-section">
      <h4 className="rft-section-title">{props.title}</h4>
      {props.children}
    </section>
  );
}
