// Name and objective of a dataset.
import { useState } from "react";
import type { DatasetInfo, DatasetPageCalls, DatasetPageTraits } from "../../contract.gen";
import { widgetHooks } from "../../host/bridge";
import { useAction } from "../../host/loaded";
import { Button } from "../../ui/Button";
import { Field } from "../../ui/Field";
import { ProblemNote } from "../../ui/ProblemNote";
import { ago, exact } from "../../ui/time";
import { useToast } from "../../ui/toasts";
import { useLeaving } from "../../ui/useLeaving";

const { useRpc } = widgetHooks<DatasetPageTraits, DatasetPageCalls>();

interface Props {
  /** As it stands now, whoever changed it. */
  readonly info: DatasetInfo;
  onSaved(): void;
}

export function General({ info, onSaved }: Props) {
  const rpc = useRpc();
  const say = useToast();
  // What the person began to write on; it stays until they save or take up what is there now.
  const [seen, setSeen] = useState(info);
  const [typed, setTyped] = useState<{ readonly name?: string; readonly objective?: string }>({});
  const written = { name: typed.name ?? seen.name, objective: typed.objective ?? seen.objective };
  const changes = {
    ...(written.name !== seen.name ? { name: written.name } : {}),
    ...(written.objective !== seen.objective ? { objective: written.objective } : {}),
  };
  const isDirty = Object.keys(changes).length > 0;
  const { name, objective } = isDirty ? written : info;
  const change = (news: typeof typed) => {
    if (!isDirty) setSeen(info);
    setTyped(isDirty ? { ...typed, ...news } : news);
  };
  const takeUp = (now: DatasetInfo) => {
    setSeen(now);
    setTyped({});
  };
  const save = useAction(async () => {
    takeUp(await rpc.call("save_settings", { seen, ...changes }));
    say({ title: "Saved", tone: "ok" });
    onSaved();
  });
  const leaving = useLeaving(isDirty, "the settings", undefined, "Leave");
  const isEmpty = name.trim() === "";
  const isStale = save.problem?.code === "stale_edit";
  return (
    <form
      className="rft-card rft-settings-form"
      aria-label="General"
      onSubmit={(event) => {
        event.preventDefault();
        if (isDirty && !isEmpty) void save.run();
      }}
    >
      <h2 className="rft-card-title">General</h2>
      <Field label="Dataset name" error={isEmpty ? "A dataset needs a name." : null}>
        {(control) => (
          <input
            {...control}
            className="rft-input"
            value={name}
            maxLength={200}
            onChange={(event) => change({ name: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field label="Training objective" hint="What the model should become better at.">
        {(control) => (
          <textarea
            {...control}
            className="rft-input"
            rows={3}
            value={objective}
            maxLength={10_000}
            onChange={(event) => change({ objective: event.currentTarget.value })}
          />
        )}
      </Field>
      <dl className="rft-settings-facts">
        <div>
          <dt>ID</dt>
          <dd className="rft-mono">{info.id}</dd>
        </div>
        <div>
          <dt>Created</dt>
          <dd title={exact(info.created_at)}>{ago(info.created_at)}</dd>
        </div>
        <div>
          <dt>Updated</dt>
          <dd title={exact(info.updated_at)}>{ago(info.updated_at)}</dd>
        </div>
      </dl>
      {save.problem && <ProblemNote problem={save.problem} />}
      <div className="rft-row">
        <Button type="submit" look="main" isBusy={save.isBusy} disabled={!isDirty || isEmpty}>
          Save Changes
        </Button>
        {isDirty && (
          <Button
            onClick={() => {
              takeUp(info);
              save.clear();
            }}
          >
            {isStale ? "Take What Is There Now" : "Discard"}
          </Button>
        )}
        {isStale && (
          <Button
            onClick={() => {
              setSeen({ ...info });
              save.clear();
            }}
          >
            Keep Mine
          </Button>
        )}
      </div>
      {leaving.question}
    </form>
  );
}
