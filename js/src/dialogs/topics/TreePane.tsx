// Left side: search, the tree, what is under no topic, and the edits.
import { Download, Plus, Upload } from "lucide-react";
import { useRef, useState } from "react";
import type { TopicRow, TopicsReport } from "../../contract.gen";
import { Button } from "../../ui/Button";
import { Empty } from "../../ui/Empty";
import { count, counted, percent } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { useEscape } from "../../ui/useEscape";
import { Ask } from "./Asks";
import type { Asked, TopicCommands } from "./TopicMenu";
import { TopicTree } from "./TopicTree";
import type { Edits } from "./useEdits";
import type { Tree } from "./useTree";

interface Props {
  readonly report: TopicsReport;
  readonly tree: Tree;
  readonly edits: Edits;
  /** Why nothing can be edited now. */
  readonly frozen: string | null;
  openRecords(path: string | null, onlyLow: boolean): void;
  onDownload(): void;
  onImport(): void;
}

export function TreePane(props: Props) {
  const { report, tree, edits, frozen, openRecords, onDownload, onImport } = props;
  const { rows, shown, naming } = tree;
  const [asked, setAsked] = useState<{ readonly what: Asked; readonly row: TopicRow } | null>(null);
  const search = useRef<HTMLInputElement>(null);
  useEscape(search, () => {
    if (tree.search === "")
      tree.element.current?.querySelector<HTMLElement>("[tabindex='0']")?.focus();
    tree.setSearch("");
  });

  const name = (kind: "rename" | "add", path: string, text: string) => {
    edits.clear();
    tree.setNaming({ kind, path, text });
  };
  const stopNaming = () => {
    edits.clear();
    if (naming) tree.focusOn(naming.path);
    tree.setNaming(null);
  };
  const commands: TopicCommands = {
    openRecords,
    rename: (path) => name("rename", path, path.slice(path.lastIndexOf("/") + 1)),
    addBelow: (path) => {
      tree.fold(path, false);
      name("add", path, "");
    },
    move: async (path, to) => {
      const now = await edits.move(path, to);
      if (now !== null) tree.follow(path, now);
    },
    ask: (what, path) => {
      edits.clear();
      // As it was when it was asked for: should it go meanwhile, the kernel says so.
      const row = rows.find((one) => one.path === path);
      if (row) setAsked({ what, row });
    },
  };
  const onName = async (given: string) => {
    if (!naming) return;
    const { kind, path } = naming;
    const now = await (kind === "add" ? edits.add(path, given) : edits.rename(path, given));
    if (now === null) return;
    tree.setNaming(null);
    if (kind === "add") tree.focusOn(now);
    else tree.follow(path, now);
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: "/" leads to the search from anywhere in it
    <div
      className="rft-topics-left"
      onKeyDown={(event) => {
        if (event.key !== "/" || event.target instanceof HTMLInputElement) return;
        event.preventDefault();
        search.current?.focus();
      }}
    >
      <div className="rft-topics-tools">
        <input
          ref={search}
          type="search"
          className="rft-input"
          aria-label="Search topics"
          placeholder="Search topics  ( / )"
          value={tree.search}
          onChange={(event) => tree.setSearch(event.currentTarget.value)}
        />
        <Button
          icon={<Plus size={14} aria-hidden />}
          disabled={frozen !== null}
          title={frozen ?? undefined}
          onClick={() => name("add", "", "")}
        >
          Add Topic
        </Button>
        <Button
          icon={<Download size={14} aria-hidden />}
          disabled={rows.length === 0}
          onClick={onDownload}
        >
          Download
        </Button>
        <Button icon={<Upload size={14} aria-hidden />} onClick={onImport}>
          Import
        </Button>
      </div>
      {edits.problem && !naming && !asked && <ProblemNote problem={edits.problem} />}
      {rows.length === 0 && !naming && (
        <Empty title="No topics yet">
          Generate them from the records, begin with a template, import a file, or add them by hand.
        </Empty>
      )}
      {rows.length > 0 && shown.length === 0 && <Empty title="No topic has these words" />}
      {(shown.length > 0 || naming) && (
        <TopicTree
          tree={tree}
          commands={commands}
          frozen={frozen}
          isBusy={edits.isBusy}
          problem={naming ? edits.problem : null}
          onName={onName}
          onStopNaming={stopNaming}
        />
      )}
      {tree.more > 0 && (
        <p className="rft-note">{`${counted(tree.more, "topic")} more: search to find them.`}</p>
      )}
      {report.records > 0 && (
        <Uncategorized report={report} onOpen={() => openRecords(null, false)} />
      )}
      {asked && (
        <Ask
          what={asked.what}
          row={asked.row}
          rows={rows}
          edits={edits}
          onDone={(path) => {
            setAsked(null);
            if (asked.what === "move") tree.follow(asked.row.path, path);
            else tree.focusOn(path);
          }}
          onClose={() => {
            edits.clear();
            setAsked(null);
            tree.focusOn(asked.row.path);
          }}
          onClosed={() =>
            tree.element.current?.querySelector<HTMLElement>("[tabindex='0']")?.focus()
          }
        />
      )}
    </div>
  );
}

function Uncategorized({ report, onOpen }: { readonly report: TopicsReport; onOpen(): void }) {
  const { uncategorized, other, records } = report;
  return (
    <div className="rft-topics-rest">
      <span>Uncategorized</span>
      {other > 0 && <span className="rft-muted">{`${count(other)} fit no topic`}</span>}
      <button
        type="button"
        className="rft-topic-count"
        title={`Open ${counted(uncategorized, "record")}`}
        disabled={uncategorized === 0}
        onClick={onOpen}
      >
        {count(uncategorized)}
      </button>
      <span className="rft-topic-share">{percent(uncategorized / records)}</span>
    </div>
  );
}
