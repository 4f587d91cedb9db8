// One connection: where it is, what it costs, and what it was seen to do.
import { Pencil, PlugZap, Trash2 } from "lucide-react";
import { useState } from "react";
import type { ConnectionTest, ConnectionView } from "../../../contract.gen";
import { useAction } from "../../../host/loaded";
import { Badge, type Tone } from "../../../ui/Badge";
import { Button, IconButton } from "../../../ui/Button";
import { Confirm } from "../../../ui/Confirm";
import { count } from "../../../ui/numbers";
import { ProblemNote } from "../../../ui/ProblemNote";
import { ago, exact } from "../../../ui/time";
import { useApp } from "../../app_host";
import { keyWords, priceWords } from "./words";

interface Props {
  readonly view: ConnectionView;
  onEdit(): void;
  onChanged(): void;
}

export function ConnectionItem({ view, onEdit, onChanged }: Props) {
  const { named, missing, notice, context, test } = view;
  const { name } = named;
  const { rpc } = useApp();
  const [isAsked, setAsked] = useState(false);
  const testing = useAction(async () => {
    await rpc.call("test_connection", { name });
    onChanged();
  });
  const removing = useAction(async () => {
    await rpc.call("remove_connection", { name });
    onChanged();
  });
  const [words, tone] = stateOf(test, testing.isBusy);
  const problem = testing.problem ?? removing.problem;
  // The test says itself that the model is gone.
  const warnings = [missing, test?.problem?.code === "model_gone" ? "" : notice];
  return (
    <li className="rft-models-item" aria-label={name}>
      <div className="rft-row rft-models-head">
        <strong className="rft-models-name">{name}</strong>
        <Badge tone={tone}>{words}</Badge>
        <span className="rft-models-actions">
          <Button
            icon={<PlugZap size={14} aria-hidden />}
            isBusy={testing.isBusy}
            aria-label={`Test ${name}`}
            onClick={() => void testing.run()}
          >
            Test
          </Button>
          <IconButton label={`Edit ${name}`} onClick={onEdit}>
            <Pencil size={14} aria-hidden />
          </IconButton>
          <IconButton label={`Remove ${name}`} onClick={() => setAsked(true)}>
            <Trash2 size={14} aria-hidden />
          </IconButton>
        </span>
      </div>
      <dl className="rft-models-facts">
        <Fact name="Model" value={<span className="rft-mono">{named.model}</span>} />
        <Fact name="At" value={<span className="rft-mono">{named.connection.base_url}</span>} />
        <Fact name="Key" value={keyWords(named.connection)} />
        <Fact name="Price" value={priceWords(view)} />
        {context !== null && <Fact name="Context" value={`${count(context)} tokens`} />}
        {named.embedding_model && (
          <Fact name="Embeds" value={<span className="rft-mono">{named.embedding_model}</span>} />
        )}
      </dl>
      {warnings.map(
        (one) =>
          one && (
            <p key={one} className="rft-models-warning rft-tone-warn">
              {one}
            </p>
          ),
      )}
      {test && !testing.isBusy && <Tested test={test} />}
      {problem && <ProblemNote problem={problem} />}
      {isAsked && (
        <Confirm
          title={`Remove ${name}?`}
          action="Remove"
          isDangerous
          onCancel={() => setAsked(false)}
          onConfirm={() => {
            setAsked(false);
            void removing.run();
          }}
        >
          Graders and jobs that use it can ask nothing any more. What it answered is kept.
        </Confirm>
      )}
    </li>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function stateOf(test: ConnectionTest | null, isBusy: boolean): readonly [string, Tone] {
  if (isBusy) return ["Testing…", "busy"];
  if (!test) return ["Not tested", "idle"];
  return test.works ? ["Answers", "ok"] : ["Does not answer", "bad"];
}

const ABILITIES = [
  ["tools", "Tools"],
  ["json_schema", "Response schema"],
  ["logprobs", "Log probabilities"],
  ["embeddings", "Embeddings"],
] as const;

function Tested({ test }: { readonly test: ConnectionTest }) {
  const when = <span title={exact(test.at)}>Tested {ago(test.at)}.</span>;
  if (!test.works) {
    return (
      <p className="rft-models-warning rft-tone-bad" role="status">
        {test.problem?.message} {test.problem?.hint} {when}
      </p>
    );
  }
  return (
    <div className="rft-models-tested" role="status">
      <span>
        Answered in {test.latency_s?.toFixed(2)} s. {when}
      </span>
      <ul className="rft-models-abilities" aria-label="What it can do">
        {ABILITIES.map(([key, words]) => {
          const can = test[key];
          const [mark, tone] = can ? ["Yes", "ok"] : can === false ? ["No", "warn"] : ["–", "idle"];
          return (
            <li key={key} className={`rft-tone-${tone}`} title={test.words[key]}>
              {words}: <b>{mark}</b>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
