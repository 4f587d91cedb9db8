import { Upload } from "lucide-react";
import { type ReactNode, useId, useState } from "react";

interface Props {
  /** Endings of files that are taken, such as `.jsonl,.json,.gz`. */
  readonly accept: string;
  readonly disabled?: boolean;
  readonly children: ReactNode;
  onFile(file: File): void;
}

/** Takes a file, dropped or chosen. */
export function DropZone({ accept, disabled = false, children, onFile }: Props) {
  const id = useId();
  const [isOver, setOver] = useState(false);
  const look = [isOver && "rft-drop-over", disabled && "rft-drop-off"].filter(Boolean).join(" ");
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the input in it is the accessible way
    <div
      className={`rft-drop ${look}`}
      onDragOver={(event) => {
        event.preventDefault();
        if (!disabled) setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const file = event.dataTransfer.files[0];
        if (file && !disabled) onFile(file);
      }}
    >
      <Upload size={22} aria-hidden />
      <label htmlFor={id}>{children}</label>
      <input
        id={id}
        type="file"
        accept={accept}
        disabled={disabled}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = ""; // the same file may be chosen again
          if (file) onFile(file);
        }}
      />
    </div>
  );
}
