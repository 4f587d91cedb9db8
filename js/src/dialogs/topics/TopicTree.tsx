// The tree of topics: by keyboard as ARIA describes it, by menu, and by dragging.
import { Fragment, useRef, useState } from "react";
import type { Problem, TopicRow } from "../../contract.gen";
import { NameInput } from "./NameInput";
import { TopicItem } from "./TopicItem";
import { type TopicCommands, TopicMenu } from "./TopicMenu";
import { type Drop, moveOf, parentOf, stepOf } from "./tree";
import { rowOf, type Tree } from "./useTree";

interface Props {
  readonly tree: Tree;
  readonly commands: TopicCommands;
  /** Why nothing can be edited now. */
  readonly frozen: string | null;
  readonly isBusy: boolean;
  /** Why the name that is being written was refused. */
  readonly problem: Problem | null;
  onName(name: string): void;
  onStopNaming(): void;
}

export function TopicTree(props: Props) {
  const { tree, commands, frozen, isBusy, problem, onName, onStopNaming } = props;
  const { rows, shown, active, folded, naming, search } = tree;
  const [menuOf, setMenuOf] = useState<string | null>(null);
  const [over, setOver] = useState<{ readonly path: string; readonly drop: Drop } | null>(null);
  const dragged = useRef<string | null>(null);
  const isSearching = search.trim() !== "";
  const isFolded = (row: TopicRow) => !isSearching && folded.has(row.path);

  const focus = (path: string) => {
    if (tree.element.current) rowOf(tree.element.current, path)?.focus();
  };
  const keys = (event: React.KeyboardEvent<HTMLElement>) => {
    const index = shown.findIndex((row) => row.path === active);
    const row = shown[index];
    const isRow = (event.target as HTMLElement).getAttribute("role") === "treeitem";
    if (!row || !isRow || event.ctrlKey || event.metaKey) return;
    const go = (to: TopicRow | undefined) => to && focus(to.path);
    const step = (by: -1 | 1) => {
      const to = event.altKey ? stepOf(rows, row.path, by) : null;
      if (!event.altKey) go(shown[index + by]);
      else if (to && frozen === null) commands.move(row.path, to);
    };
    const edit = (run: () => void) => frozen === null && run();
    const actions: Readonly<Record<string, () => void>> = {
      ArrowDown: () => step(1),
      ArrowUp: () => step(-1),
      Home: () => go(shown[0]),
      End: () => go(shown.at(-1)),
      ArrowRight: () => {
        if (isFolded(row)) tree.fold(row.path, false);
        else if (!row.is_leaf) go(shown[index + 1]);
      },
      ArrowLeft: () => {
        if (!row.is_leaf && !isFolded(row) && !isSearching) tree.fold(row.path, true);
        else go(shown.find((one) => one.path === parentOf(row.path)));
      },
      Enter: () => setMenuOf(row.path),
      " ": () => setMenuOf(row.path),
      F2: () => edit(() => commands.rename(row.path)),
      Delete: () => edit(() => commands.ask("delete", row.path)),
    };
    const action = Object.hasOwn(actions, event.key) ? actions[event.key] : null;
    if (action) {
      event.preventDefault();
      action();
    } else if (event.key.length === 1 && event.key !== "/" && !event.altKey) {
      const letter = event.key.toLowerCase();
      const after = [...shown.slice(index + 1), ...shown.slice(0, index)];
      go(after.find((one) => one.name.toLowerCase().startsWith(letter)));
    }
  };

  const input = (label: string, initial: string) => (
    <NameInput
      label={label}
      text={naming?.text ?? ""}
      initial={initial}
      problem={problem}
      isBusy={isBusy}
      onText={(text) => naming && tree.setNaming({ ...naming, text })}
      onDone={onName}
      onCancel={onStopNaming}
    />
  );
  const adding = (level: number) => (
    <div
      role="treeitem"
      className="rft-topic rft-topic-new"
      style={{ "--rft-level": level } as React.CSSProperties}
      aria-label="New topic"
      aria-level={level}
      aria-selected={false}
      tabIndex={-1}
    >
      <span className="rft-topic-fold" />
      {input("Name of the new topic", "")}
    </div>
  );
  const isNamed = (row: TopicRow) => naming?.path === row.path;
  // The topic was taken away elsewhere meanwhile: what was written is not lost.
  const isOrphan = naming !== null && naming.path !== "" && !shown.some(isNamed);

  return (
    <>
      {isOrphan && (
        <div className="rft-topic rft-topic-new">{input(`Name at ${naming.path}`, "")}</div>
      )}
      <div
        ref={tree.element}
        className="rft-topic-tree"
        role="tree"
        aria-label="Topics"
        tabIndex={-1}
        onKeyDown={keys}
        {...tree.watch}
      >
        {shown.map((row) => (
          <Fragment key={row.path}>
            <TopicItem
              row={row}
              place={tree.standing.get(row.path)}
              isActive={row.path === active}
              isFolded={isFolded(row)}
              isFrozen={frozen !== null}
              drop={over?.path === row.path ? over.drop : null}
              naming={
                naming?.kind === "rename" && isNamed(row)
                  ? input(`New name of ${row.name}`, row.name)
                  : null
              }
              menu={
                menuOf === row.path && (
                  <TopicMenu
                    row={row}
                    rows={rows}
                    frozen={frozen}
                    commands={commands}
                    onClose={(isFocusBack) => {
                      setMenuOf(null);
                      if (isFocusBack) focus(row.path);
                    }}
                  />
                )
              }
              onFocus={() => tree.setActive(row.path)}
              onFold={() => tree.fold(row.path, !isFolded(row))}
              onMenu={() => setMenuOf(row.path)}
              onOpen={(onlyLow) => commands.openRecords(row.path, onlyLow)}
              onDrag={(path) => {
                dragged.current = path;
                if (path === null) setOver(null);
              }}
              onOver={(drop) => {
                const path = dragged.current;
                const may = path !== null && moveOf(rows, path, row.path, drop) !== null;
                if (!may) setOver(null);
                else if (over?.path !== row.path || over.drop !== drop) {
                  setOver({ path: row.path, drop });
                }
                return may;
              }}
              onLeave={() => setOver(null)}
              onDrop={() => {
                const path = dragged.current;
                const to = path && over ? moveOf(rows, path, over.path, over.drop) : null;
                setOver(null);
                if (path && to) commands.move(path, to);
              }}
            />
            {naming?.kind === "add" && isNamed(row) && adding(row.level + 1)}
          </Fragment>
        ))}
        {naming?.kind === "add" && naming.path === "" && adding(1)}
      </div>
    </>
  );
}
