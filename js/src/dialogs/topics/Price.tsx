// What a model's decisions would take, where somebody is about to ask for them.
import type { TopicsDialogCalls, TopicsDialogTraits } from "../../contract.gen";
import { widgetHooks } from "../../host/bridge";
import { useLoaded } from "../../host/loaded";
import { ProblemNote } from "../../ui/ProblemNote";
import { estimateWords } from "../../ui/spending";

const { useRpc } = widgetHooks<TopicsDialogTraits, TopicsDialogCalls>();

interface Props {
  readonly model: string;
  readonly mode: TopicsDialogCalls["categorize"]["params"]["mode"];
}

export function Price({ model, mode }: Props) {
  const rpc = useRpc();
  const { value, problem, reload } = useLoaded(
    (signal) => rpc.call("estimate", { model, mode }, signal),
    { revision: 0, subject: `${mode} ${model}` },
  );
  if (problem) return <ProblemNote problem={problem} onRetry={reload} />;
  if (!value) return <p>{`Counting what ${model} would be asked…`}</p>;
  return (
    value.deciding && (
      <p>{`${model} decides about uncertain ones. ${estimateWords(value.deciding)}`}</p>
    )
  );
}
