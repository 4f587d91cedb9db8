// widgets/create_page.py on the page.
import { useCallback, useState } from "react";
import type { CreatePageCalls, TraceQuery } from "../../contract.gen";
import { useFollow } from "../../host/bridge";
import { useAction } from "../../host/loaded";
import { useCloseGuard } from "../../host/navigation";
import { Button } from "../../ui/Button";
import { Confirm } from "../../ui/Confirm";
import { Field } from "../../ui/Field";
import { counted } from "../../ui/numbers";
import { ProblemNote } from "../../ui/ProblemNote";
import { Tabs } from "../../ui/Tabs";
import { useSettled } from "../../ui/useSettled";
import { PageHead } from "../PageHead";
import { LIST } from "../router";
import { useRouting } from "../routing";
import { FileUploader } from "./FileUploader";
import { useRpc, useTrait } from "./hooks";
import { Pattern } from "./Pattern";
import { UNFILTERED } from "./TraceFilters";
import { TraceSelector } from "./TraceSelector";
import { useFile } from "./useFile";
import { useForm } from "./useForm";
import { useTraces } from "./useTraces";

type From = CreatePageCalls["create"]["params"]["of"];

const SEARCH_MS = 300;
const HINTS: Readonly<Record<From, string>> = {
  traces: "Select traces to see what they have in common.",
  file: "Upload a file to see what its records have in common.",
};

export function CreatePageWidget() {
  useFollow();
  const rpc = useRpc();
  const { go } = useRouting();
  // Whoever comes back with a file on its way finds it.
  const hasFile = useTrait("file").status !== "empty";
  const [from, setFrom] = useState<From>(hasFile ? "file" : "traces");
  const file = useFile(() => setFrom("file"));
  const [query, setQuery] = useState<TraceQuery>({ ...UNFILTERED, has_response: true });
  const search = useSettled(query.search, SEARCH_MS).value;
  const asked = { ...query, search };
  const traces = useTraces(asked);
  const patterns = { traces: useTrait("traces_pattern"), file: useTrait("file_pattern") };
  const pattern = patterns[from];
  const form = useForm(pattern.pattern);
  const open = useAction(async (location: string, name: string) => {
    await rpc.call("open_source", { location, name });
    setFrom("traces");
  });
  const create = useAction(async () => {
    const { name, objective } = form;
    const params = { of: from, name: name.trim(), objective: objective.trim(), query: asked };
    go({ page: "canvas", id: await rpc.call("create", params) });
  });
  const [leaving, setLeaving] = useState<{ readonly go: () => void } | null>(null);
  const guard = useCallback((go: () => void) => setLeaving({ go }), []);
  useCloseGuard(file.sending ? guard : null);
  const picked = traces.page?.picked_total ?? 0;
  const isChosen = from === "traces" ? picked > 0 : file.state.status === "ready";
  const problem = create.problem ?? open.problem;

  return (
    <>
      <PageHead
        name="New Dataset"
        above="Model Optimization"
        back={{ to: LIST, label: "Back to the datasets" }}
      />
      <div className="rft-create">
        <div className="rft-create-data">
          <Tabs<From>
            label="Where the data come from"
            value={from}
            onChange={setFrom}
            tabs={[
              {
                value: "traces",
                title: "From Gateway Traces",
                body: <TraceSelector traces={traces} query={query} onQuery={setQuery} />,
              },
              {
                value: "file",
                title: "Upload File",
                body: <FileUploader file={file} onTraces={open.run} />,
              },
            ]}
          />
        </div>
        <form
          className="rft-create-form"
          aria-label="Dataset"
          onSubmit={(event) => {
            event.preventDefault();
            void create.run();
          }}
        >
          <Pattern state={pattern} hint={HINTS[from]} />
          <Field
            label="Dataset Name *"
            hint={form.isSuggested ? "A suggestion; change it as you like." : null}
          >
            {(control) => (
              <input
                {...control}
                className="rft-input"
                required
                maxLength={200}
                placeholder="e.g., support-assistant"
                value={form.name}
                onChange={(event) => form.setName(event.currentTarget.value)}
              />
            )}
          </Field>
          <Field
            label="Training Objective *"
            hint="What the model should get better at. It guides the grader."
          >
            {(control) => (
              <textarea
                {...control}
                className="rft-input"
                rows={4}
                required
                maxLength={10_000}
                placeholder="Describe what you want the model to improve at..."
                value={form.objective}
                onChange={(event) => form.setObjective(event.currentTarget.value)}
              />
            )}
          </Field>
          {problem && <ProblemNote problem={problem} />}
          <Button
            type="submit"
            look="main"
            className="rft-create-button"
            isBusy={create.isBusy}
            disabled={!(isChosen && form.isComplete)}
          >
            Create Dataset & Start →
          </Button>
          <p className="rft-note" role="status">
            {missing(from, isChosen, form.isComplete, picked)}
          </p>
        </form>
      </div>
      {leaving && (
        <Confirm
          title="An upload is under way"
          action="Stop and Leave"
          onCancel={() => setLeaving(null)}
          onConfirm={() => {
            setLeaving(null);
            leaving.go();
          }}
        >
          What has arrived of the file is kept: come back and choose it again to go on.
        </Confirm>
      )}
    </>
  );
}

/** Why it cannot be created yet, or what will happen. */
function missing(from: From, isChosen: boolean, isComplete: boolean, picked: number): string {
  if (!isChosen) return from === "traces" ? "Select some traces first." : "Upload a file first.";
  if (!isComplete) return "Fill in name and objective.";
  const what = from === "traces" ? counted(picked, "trace") : "The file";
  return `${what} will be extracted, then topics are found. You can watch it on the canvas.`;
}
