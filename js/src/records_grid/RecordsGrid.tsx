// The table of the records, and one of them above it. Knows nothing of Jupyter: `api` in.
import { useCallback, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { RecordsPreset } from "../contract.gen";
import { useLoaded } from "../host/loaded";
import { Badge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { DialogFrame } from "../ui/DialogFrame";
import { Empty } from "../ui/Empty";
import { ProblemNote } from "../ui/ProblemNote";
import { Skeleton } from "../ui/Skeleton";
import { useToast } from "../ui/toasts";
import type { GridApi } from "./api";
import { Bulk } from "./Bulk";
import { includes, isFiltered, NO_FILTER } from "./filter";
import { KeysHelp } from "./KeysHelp";
import { keyOf } from "./picked";
import { RecordPane } from "./record/RecordPane";
import { ROW } from "./scroll";
import { HEAD, Table } from "./Table";
import { Toolbar } from "./Toolbar";
import { onGridKey } from "./useKeys";
import { usePicked, useSelecting } from "./usePicked";
import { useScroll } from "./useScroll";
import { type Anchor, type SortKey, useView } from "./useView";

interface Props {
  readonly api: GridApi;
  readonly preset: RecordsPreset | null;
  readonly revision: number;
  /** Of the whole, in pixels; nothing where it fills what it stands in. */
  readonly height: number | null;
}

export function RecordsGrid({ api, preset, revision, height }: Props) {
  const id = useId();
  const say = useToast();
  const search = useRef<HTMLInputElement>(null);
  const [where, setWhere] = useState(preset?.where ?? NO_FILTER);
  const [sort, setSort] = useState<SortKey>("position");
  const [active, setActive] = useState(0);
  const [open, setOpen] = useState<string | null>(null);
  const [hasHelp, setHelp] = useState(false);
  const [picked, setPicked] = usePicked();
  const context = useLoaded(api.context, { revision });

  const scrolling = useRef({ top: 0, move: (_top: number) => {} });
  const moved = useRef(0);
  const now = useRef({ active, open });
  now.current = { active, open };
  const view = useView({
    load: api.rows,
    query: { where, sort, chosen: picked.where },
    revision,
    anchor: useCallback((): Anchor | null => anchorOf(held.current), []),
    onMoved: (by) => {
      setActive((before) => Math.max(before + by, 0));
      moved.current += by;
    },
    onOpened: () => {
      setActive(0);
      scrolling.current.move(0);
    },
  });
  const { rows } = view;
  const scroll = useScroll(rows?.total ?? 0, HEAD);
  scrolling.current = { top: scroll.top, move: scroll.moveTo };
  // When the table has the new rows: before, it would end where the old ones do.
  useLayoutEffect(() => {
    const by = moved.current;
    moved.current = 0;
    if (rows && by !== 0) scrolling.current.move(scrolling.current.top + by * ROW);
  }, [rows]);
  const held = useRef({ rows, active, top: 0, height: 0 });
  held.current = { rows, active, top: scroll.top, height: scroll.geometry.height };

  const onTooMany = useCallback(
    () => say({ title: "That is too many to select one by one.", text: TOO_MANY, tone: "warn" }),
    [say],
  );
  const selecting = useSelecting({
    ...{ api, view, where, revision, picked, setPicked, onTooMany },
  });
  const isAllOfFilter = keyOf(picked.where) === keyOf(where) && picked.except.size === 0;
  const pickEverything = () => (isAllOfFilter ? selecting.clear() : selecting.all(where));

  const { show } = scroll;
  const go = useCallback(
    (index: number) => {
      setActive(index);
      show(index);
    },
    [show],
  );
  const { row } = view;
  const openAt = useCallback(
    async (index: number) => {
      const found = await row(index);
      if (!found) return;
      setActive(index);
      setOpen(found.id);
    },
    [row],
  );
  const toTable = useCallback(() => document.getElementById(id)?.focus(), [id]);
  const close = useCallback(() => {
    setOpen(null);
    show(now.current.active);
    queueMicrotask(toTable);
  }, [show, toTable]);
  const step = useCallback(
    async (by: number) => {
      go(now.current.active + by);
      await openAt(now.current.active + by);
    },
    [go, openAt],
  );
  const toSearch = () => search.current?.focus();

  const badge = preset?.badge && includes(where, preset.where ?? {}) ? preset.badge : "";
  const total = rows?.total ?? 0;
  const aside = useMemo(() => badge && <Badge tone="busy">{badge}</Badge>, [badge]);
  const look = height === null ? "rft-grid rft-grid-sheet" : "rft-grid rft-grid-cell";
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys that hold anywhere in it
    <div
      className={look}
      style={height === null ? undefined : { height }}
      onKeyDown={(event) => {
        // Dialogs that are opened from here tell of their keys here, too.
        if (!event.currentTarget.contains(event.target as Node)) return;
        if (open !== null || isTyping(event.target)) return;
        onGridKey(event, {
          ...{ active, total, go },
          page: Math.max(Math.floor(scroll.geometry.height / ROW), 1),
          open: (index) => void openAt(index),
          pick: (index, isRange) => void selecting.toggle(index, isRange),
          pickAll: () => selecting.all(where),
          search: toSearch,
          help: () => setHelp(true),
        });
      }}
    >
      <DialogFrame title="Records" aside={aside}>
        <div className="rft-grid-table" inert={open !== null}>
          <Toolbar
            {...{ where, context: context.value }}
            searchRef={search}
            onChange={setWhere}
            onLeave={toTable}
          />
          {view.problem && <ProblemNote problem={view.problem} onRetry={view.reopen} />}
          <Bulk
            {...{ api, view, selecting, isAllOfFilter }}
            context={context.value}
            onPickAll={() => selecting.all(where)}
            onHelp={() => setHelp(true)}
          >
            {!rows && !view.problem && <Skeleton lines={8} />}
            {rows && total === 0 && !view.isOpening && (
              <Nothing isFiltered={isFiltered(where)} onClear={() => setWhere(NO_FILTER)} />
            )}
            {rows && (total > 0 || view.isOpening) && (
              <Table
                {...{ id, rows, scroll, sort, active }}
                isBusy={view.isOpening}
                allPicked={isAllOfFilter || (selecting.size === undefined ? false : "mixed")}
                isPicked={selecting.isPicked}
                onSort={setSort}
                onPick={selecting.toggle}
                onPickAll={pickEverything}
                onActivate={setActive}
                onOpen={openAt}
              />
            )}
          </Bulk>
        </div>
        {open !== null && (
          <RecordPane
            key={open}
            {...{ api, revision, id: open, context: context.value }}
            place={{ index: active, total }}
            onStep={step}
            onClose={close}
            onOpen={setOpen}
            onChanged={view.refresh}
          />
        )}
      </DialogFrame>
      {hasHelp && <KeysHelp onClose={() => setHelp(false)} />}
    </div>
  );
}

const TOO_MANY = "Narrow the filter and select all of it: that has no limit.";

interface Held {
  readonly rows: ReturnType<typeof useView>["rows"];
  readonly active: number;
  readonly top: number;
  readonly height: number;
}

/** The active row where it is in sight, else the first that is. */
function anchorOf({ rows, active, top, height }: Held): Anchor | null {
  const first = Math.ceil(top / ROW);
  const isInSight = active >= first && (active + 1) * ROW <= top + height;
  const index = isInSight ? active : first;
  const row = rows?.get(index);
  return row ? { id: row.id, index } : null;
}

/** Where keys are letters, and a choice has keys of its own. */
function isTyping(target: EventTarget): boolean {
  return (
    target instanceof Element &&
    target.closest("select, textarea, input:not([type=checkbox])") !== null
  );
}

interface NothingProps {
  readonly isFiltered: boolean;
  onClear(): void;
}

function Nothing({ isFiltered: isNarrow, onClear }: NothingProps) {
  if (!isNarrow) {
    return <Empty title="No records yet">Import a file or pull traces in step 1.</Empty>;
  }
  return (
    <Empty title="No record matches" action={<Button onClick={onClear}>Clear filters</Button>}>
      Change the filters, or search for other words.
    </Empty>
  );
}
