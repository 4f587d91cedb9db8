import { Copy } from "lucide-react";
import { useState } from "react";
import { Button } from "../../ui/Button";
import { copy } from "../../ui/clipboard";

/** What has to be done, in words; a command in them can be copied. */
export function Steps({ words }: { readonly words: string }) {
  const [said, setSaid] = useState("");
  const [before, command, after] = withCommand(words);
  return (
    <div className="rft-training-missing">
      <p>
        {before}
        {command && <code>{command}</code>}
        {after}
      </p>
      {command && (
        <>
          <Button
            icon={<Copy size={13} aria-hidden />}
            onClick={() =>
              void copy(command).then((isDone) =>
                setSaid(isDone ? "Copied." : "Select it instead."),
              )
            }
          >
            Copy Command
          </Button>
          <span role="status">{said}</span>
        </>
      )}
    </div>
  );
}

const COMMAND = /`([^`]+)`|((?:pip install|export|rft-widgets) (?:'[^']*'|"[^"]*"|[^\s'",;])+)/;

/** Words before a command, the command, and words after it; the first command there is. */
function withCommand(words: string): readonly [before: string, command: string, after: string] {
  const found = COMMAND.exec(words);
  if (!found) return [words, "", ""];
  const command = (found[1] ?? found[2] ?? "").replace(/[.:]$/, "");
  const start = words.indexOf(command, found.index);
  const strip = found[1] === undefined ? 0 : 1;
  const end = start + command.length;
  return [words.slice(0, start - strip), command, words.slice(end + strip)];
}
