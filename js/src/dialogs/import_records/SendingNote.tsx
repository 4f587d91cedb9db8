import { Square } from "lucide-react";
import type { Sending } from "../../host/upload";
import { Button } from "../../ui/Button";
import { bytes, percent } from "../../ui/numbers";

/** A file on its way, with a way to stop it. */
export function SendingNote({ name, size, sent, onStop }: Sending & { onStop(): void }) {
  const share = size > 0 ? sent / size : 0;
  return (
    <div className="rft-job" role="status">
      <span className="rft-job-words">
        <strong>Upload</strong> {`${name}: ${bytes(sent)} of ${bytes(size)}`}
      </span>
      <progress className="rft-job-bar" max={1} value={share} aria-label="Upload" />
      <span className="rft-job-share">{percent(share)}</span>
      <Button icon={<Square size={12} aria-hidden />} onClick={onStop}>
        Stop
      </Button>
    </div>
  );
}
