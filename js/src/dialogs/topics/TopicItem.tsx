import { ChevronRight, EllipsisVertical } from "lucide-react";
import type { ReactNode } from "react";
import type { TopicRow } from "../../contract.gen";
import { count, counted, percent } from "../../ui/numbers";
import type { Drop, Place } from "./tree";

interface Props {
  readonly row: TopicRow;
  readonly place: Place | undefined;
  readonly isActive: boolean;
  readonly isFolded: boolean;
  readonly isFrozen: boolean;
  readonly drop: Drop | null;
  /** In place of the name, while it is written. */
  readonly naming: ReactNode;
  readonly menu: ReactNode;
  onFocus(): void;
  onFold(): void;
  onMenu(): void;
  onOpen(onlyLow: boolean): void;
  onDrag(path: string | null): void;
  /** Something is dragged over it; whether it may be dropped there. */
  onOver(drop: Drop): boolean;
  onLeave(): void;
  onDrop(): void;
}

export function TopicItem(props: Props) {
  const { row, place, isActive, isFolded, isFrozen, drop, naming, menu } = props;
  const { onFocus, onFold, onMenu, onOpen, onDrag, onOver, onLeave, onDrop } = props;
  const low = row.low_confidence;
  const about = [row.description, row.keywords.join(", ")].filter(Boolean).join("\n");
  return (
    <div
      role="treeitem"
      className={["rft-topic", drop && `rft-topic-${drop}`].filter(Boolean).join(" ")}
      style={{ "--rft-level": row.level } as React.CSSProperties}
      data-topic={row.path}
      tabIndex={isActive ? 0 : -1}
      aria-level={row.level}
      aria-posinset={place?.position}
      aria-setsize={place?.size}
      aria-selected={isActive}
      aria-expanded={row.is_leaf ? undefined : !isFolded}
      draggable={!isFrozen && !naming}
      onFocus={(event) => event.target === event.currentTarget && onFocus()}
      onDragStart={(event) => {
        event.dataTransfer.setData("text/plain", row.path);
        event.dataTransfer.effectAllowed = "move";
        onDrag(row.path);
      }}
      onDragEnd={() => onDrag(null)}
      onDragOver={(event) => {
        if (onOver(dropAt(event))) event.preventDefault();
      }}
      onDragLeave={onLeave}
      onDrop={(event) => {
        event.preventDefault();
        onDrop();
      }}
    >
      {row.is_leaf ? (
        <span className="rft-topic-fold" />
      ) : (
        // biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: the arrow keys fold the row
        <span className={isFolded ? "rft-topic-fold" : "rft-topic-fold rft-open"} onClick={onFold}>
          <ChevronRight size={14} aria-hidden />
        </span>
      )}
      {naming ?? (
        <span className="rft-topic-name" title={about || undefined}>
          {row.name}
        </span>
      )}
      {!naming && low > 0 && (
        <button
          type="button"
          tabIndex={-1}
          className="rft-topic-low"
          title={`${counted(low, "record")} with low confidence`}
          onClick={() => onOpen(true)}
        >
          {count(low)} low
        </button>
      )}
      <button
        type="button"
        tabIndex={-1}
        className="rft-topic-count"
        title={`Open ${counted(row.records, "record")}`}
        disabled={row.records === 0}
        onClick={() => onOpen(false)}
      >
        {count(row.records)}
        <span className="rft-hidden"> records</span>
      </button>
      <span className="rft-topic-share">{row.share === null ? "" : percent(row.share)}</span>
      <span className="rft-topic-more">
        <button
          type="button"
          tabIndex={-1}
          className="rft-icon-button"
          aria-label="Edit"
          title="Edit"
          onClick={onMenu}
        >
          <EllipsisVertical size={15} aria-hidden />
        </button>
        {menu}
      </span>
    </div>
  );
}

/** The upper and the lower quarter of a row stand for the places before and after it. */
function dropAt(event: React.DragEvent): Drop {
  const { top, height } = event.currentTarget.getBoundingClientRect();
  const share = (event.clientY - top) / height;
  return share < 0.25 ? "before" : share > 0.75 ? "after" : "inside";
}
