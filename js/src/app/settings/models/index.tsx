// The models that may be asked, by name: for every dataset of the store.
import { Plus } from "lucide-react";
import { useEffect, useState } from "react";
import type { NamedConnection } from "../../../contract.gen";
import { useLoaded } from "../../../host/loaded";
import { Button } from "../../../ui/Button";
import { ProblemNote } from "../../../ui/ProblemNote";
import { Skeleton } from "../../../ui/Skeleton";
import { useApp } from "../../app_host";
import { ConnectionForm } from "./ConnectionForm";
import { ConnectionItem } from "./ConnectionItem";

type Edited = { readonly named: NamedConnection | null; readonly models: readonly string[] };

export function Models() {
  const { rpc } = useApp();
  const loaded = useLoaded((signal) => rpc.call("connections", {}, signal), { revision: 0 });
  const [edited, setEdited] = useState<Edited | null>(null);
  const { reload } = loaded;
  // They may be added elsewhere, in a notebook beside this page for instance.
  useEffect(() => {
    window.addEventListener("focus", reload);
    return () => window.removeEventListener("focus", reload);
  }, [reload]);
  const views = loaded.value;
  return (
    <section className="rft-card rft-models" aria-label="Models">
      <div className="rft-row">
        <h2 className="rft-card-title">Models</h2>
        <Button
          icon={<Plus size={14} aria-hidden />}
          onClick={() => setEdited({ named: null, models: [] })}
        >
          Add Connection
        </Button>
      </div>
      <p className="rft-note">
        What judges, generates, names topics or answers in a dry run. Any service that speaks the
        OpenAI protocol will do; all datasets share these.
      </p>
      {loaded.problem && <ProblemNote problem={loaded.problem} onRetry={reload} />}
      {!views && !loaded.problem && <Skeleton lines={3} />}
      {views?.length === 0 && (
        <p className="rft-models-none">
          No model is connected yet. Every step works without one; add one to judge answers, to
          generate records or to name topics with it.
        </p>
      )}
      {views && views.length > 0 && (
        <ul className="rft-models-list">
          {views.map((view) => (
            <ConnectionItem
              key={view.named.name}
              view={view}
              onEdit={() => setEdited({ named: view.named, models: view.test?.models ?? [] })}
              onChanged={reload}
            />
          ))}
        </ul>
      )}
      <p className="rft-field-note">
        Keys are read from the environment of the server when a model is asked, and are shown and
        stored nowhere.
      </p>
      {edited && (
        <ConnectionForm
          {...edited}
          taken={views?.map(({ named }) => named.name) ?? []}
          onSaved={reload}
          onClose={() => setEdited(null)}
        />
      )}
    </section>
  );
}
