// A text, cut where it is longer than anybody reads at a glance.
import { useState } from "react";
import { Button } from "../../ui/Button";
import { count } from "../../ui/numbers";

const SHOWN = 6_000;

interface Props {
  readonly text: string;
  readonly isCode?: boolean;
}

export function LongText({ text, isCode = false }: Props) {
  const [isWhole, setWhole] = useState(false);
  const isCut = !isWhole && text.length > SHOWN * 1.2;
  return (
    <>
      <p className={isCode ? "rft-rec-text rft-mono rft-rec-code" : "rft-rec-text"}>
        {isCut ? `${text.slice(0, SHOWN)}…` : text}
      </p>
      {isCut && (
        <Button look="ghost" onClick={() => setWhole(true)}>
          Show all {count(text.length)} characters
        </Button>
      )}
    </>
  );
}
