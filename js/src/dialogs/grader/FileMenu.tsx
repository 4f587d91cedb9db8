// A grader from a file and into one.
import { Download, PackageOpen, Upload } from "lucide-react";
import { useRef } from "react";
import { SETTINGS } from "../../contract.gen";
import { save } from "../../host/download";
import { Button } from "../../ui/Button";
import { count } from "../../ui/numbers";
import { asJson, type Draft, type GraderValue, readJson, textOf } from "./draft";

interface Props {
  readonly draft: Draft | null;
  onImport(grader: GraderValue): void;
  onExport(): void;
  onProblem(words: string): void;
}

/** Files are read on the page: importing one runs nothing, and saves nothing. */
export function FileMenu({ draft, onImport, onExport, onProblem }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const take = async (file: File | undefined) => {
    if (!file) return;
    if (file.size > SETTINGS.sandbox.max_source_bytes) {
      onProblem(`${file.name} is no grader: it has ${count(file.size)} bytes`);
      return;
    }
    const text = await file.text();
    const grader = file.name.endsWith(".py")
      ? { type: "python", name: file.name.replace(/\.py$/, ""), source: text }
      : readJson(text);
    if (grader) onImport(grader);
    else onProblem(`${file.name} holds no grader: it is no JSON object`);
  };
  return (
    <>
      <input
        ref={input}
        type="file"
        accept=".json,.py"
        className="rft-hidden"
        tabIndex={-1}
        aria-label="Grader file"
        onChange={(event) => {
          void take(event.currentTarget.files?.[0]);
          event.currentTarget.value = "";
        }}
      />
      <Button icon={<Upload size={14} aria-hidden />} onClick={() => input.current?.click()}>
        Import
      </Button>
      <Button
        icon={<Download size={14} aria-hidden />}
        disabled={!draft}
        onClick={() => draft && download(draft)}
      >
        Download
      </Button>
      <Button icon={<PackageOpen size={14} aria-hidden />} disabled={!draft} onClick={onExport}>
        Export…
      </Button>
    </>
  );
}

function download({ grader, text }: Draft): void {
  const file = new Blob([text ?? asJson(grader)], { type: "application/json" });
  save(file, `${textOf(grader.name).replace(/\W+/g, "-") || "grader"}.json`);
}
