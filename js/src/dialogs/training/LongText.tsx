import { useState } from "react";

const FIRST_CHARS = 600;

interface Props {
  readonly className: string;
  readonly text: string;
}

/** A text of somebody's; of a long one the beginning, and the rest on demand. */
export function LongText({ className, text }: Props) {
  const [isWhole, setWhole] = useState(false);
  const isLong = text.length > FIRST_CHARS + 100;
  return (
    <p className={className}>
      {isLong && !isWhole ? `${text.slice(0, FIRST_CHARS)}… ` : text}
      {isLong && (
        <button type="button" className="rft-link" onClick={() => setWhole(!isWhole)}>
          {isWhole ? "Show less" : "Show all of it"}
        </button>
      )}
    </p>
  );
}
