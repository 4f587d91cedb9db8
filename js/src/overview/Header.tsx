// The bar of commands above the canvas. Knows nothing of Jupyter.
import {
  CircleQuestionMark,
  Database,
  Download,
  FolderTree,
  TableProperties,
  Upload,
} from "lucide-react";
import type { ReactNode } from "react";
import { Button, IconButton } from "../ui/Button";
import { Menu } from "../ui/Menu";

export interface Commands {
  readonly name: string;
  onRecords(): void;
  onImportRecords(): void;
  onDownloadRecords(): void;
  onImportTopics(): void;
  onDownloadTopics(): void;
  onHelp(): void;
}

const SIZE = { size: 14, "aria-hidden": true } as const;

export function Header({ name, ...commands }: Commands) {
  return (
    <header className="rft-head">
      <h2 className="rft-head-title" title={name}>
        <PipelineOf name={name} />
      </h2>
      <HeadButtons {...commands} />
    </header>
  );
}

export function PipelineOf({ name }: { readonly name: string }) {
  return (
    <>
      <span className="rft-head-what">RFT Pipeline</span>
      <span aria-hidden> • </span>
      <span>{name}</span>
    </>
  );
}

export function HeadButtons({ children, ...on }: Omit<Commands, "name"> & Extra) {
  const items = [
    { label: "Import Records", icon: <Upload {...SIZE} />, onSelect: on.onImportRecords },
    { label: "Download Records", icon: <Download {...SIZE} />, onSelect: on.onDownloadRecords },
    { label: "Import Topics", icon: <FolderTree {...SIZE} />, onSelect: on.onImportTopics },
    { label: "Download Topics", icon: <Download {...SIZE} />, onSelect: on.onDownloadTopics },
  ];
  return (
    <>
      <Button icon={<TableProperties {...SIZE} />} onClick={on.onRecords}>
        Records
      </Button>
      <Menu items={items}>
        <Button icon={<Database {...SIZE} />}>Data</Button>
      </Menu>
      {children}
      <IconButton label="Help (?)" onClick={on.onHelp}>
        <CircleQuestionMark size={16} aria-hidden />
      </IconButton>
    </>
  );
}

interface Extra {
  /** More buttons, before that of the help. */
  readonly children?: ReactNode;
}
