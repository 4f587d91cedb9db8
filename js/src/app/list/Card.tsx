// A dataset in the list.
import { Copy, Download, EllipsisVertical, FolderOpen, Trash2 } from "lucide-react";
import type { DatasetCard } from "../../contract.gen";
import { IconButton } from "../../ui/Button";
import { Menu } from "../../ui/Menu";
import { count, counted, percent } from "../../ui/numbers";
import { ago, exact } from "../../ui/time";
import { Link } from "../routing";
import { MiniPipeline } from "./MiniPipeline";

export interface CardActions {
  onOpen(card: DatasetCard): void;
  onDuplicate(card: DatasetCard): void;
  onExport(card: DatasetCard): void;
  onDelete(card: DatasetCard): void;
}

const SIZE = { size: 14, "aria-hidden": true } as const;

const TONES: Record<DatasetCard["status"], string> = {
  in_progress: "idle",
  attention: "warn",
  training: "busy",
  complete: "ok",
};

export function Card({ card, ...on }: { readonly card: DatasetCard } & CardActions) {
  const facts = [
    counted(card.records, "record"),
    counted(card.topics, "topic"),
    card.balance === null ? "" : `Balance: ${card.balance.toFixed(2)}`,
  ];
  const tone = card.steps.includes("failed") ? "bad" : TONES[card.status];
  return (
    <li className="rft-card rft-dataset-card">
      <div className="rft-dataset-card-head">
        <div>
          <h2 className="rft-dataset-name">
            <Link to={{ page: "canvas", id: card.id }} className="rft-dataset-link">
              {card.name}
            </Link>
          </h2>
          <p className="rft-note" title={`${count(card.records)} records`}>
            {facts.filter(Boolean).join(" • ")}
          </p>
        </div>
        <Menu
          items={[
            { label: "Open", icon: <FolderOpen {...SIZE} />, onSelect: () => on.onOpen(card) },
            { label: "Duplicate", icon: <Copy {...SIZE} />, onSelect: () => on.onDuplicate(card) },
            { label: "Export", icon: <Download {...SIZE} />, onSelect: () => on.onExport(card) },
            {
              label: "Delete",
              icon: <Trash2 {...SIZE} />,
              isDangerous: true,
              onSelect: () => on.onDelete(card),
            },
          ]}
        >
          <IconButton label={`More for ${card.name}`} className="rft-dataset-menu">
            <EllipsisVertical size={16} aria-hidden />
          </IconButton>
        </Menu>
      </div>
      <MiniPipeline steps={card.steps} />
      <div className="rft-dataset-card-foot">
        <span className={`rft-tone-${tone} rft-dataset-line`}>{card.status_line}</span>
        {card.job && <JobLine job={card.job} />}
        <span className="rft-note rft-dataset-when" title={exact(card.updated_at)}>
          {`Updated ${ago(card.updated_at)}`}
        </span>
      </div>
    </li>
  );
}

function JobLine({ job }: { readonly job: NonNullable<DatasetCard["job"]> }) {
  const share = job.share === null ? "" : ` ${percent(job.share)}`;
  return (
    <span className="rft-tone-busy rft-dataset-line">
      <span className="rft-spinner" aria-hidden />
      {job.status === "queued" ? `${job.title}: waiting` : `${job.title}${share}`}
    </span>
  );
}
