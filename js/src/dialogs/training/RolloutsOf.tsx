import { useState } from "react";
import type { TrainerInfo, TrainingDialogCalls, TrainingDialogTraits } from "../../contract.gen";
import { widgetHooks } from "../../host/bridge";
import { useLoaded } from "../../host/loaded";
import { useNavigation } from "../../host/navigation";
import { Rollouts } from "./Rollouts";

const { useRpc } = widgetHooks<TrainingDialogTraits, TrainingDialogCalls>();

interface Props {
  readonly job: string;
  readonly steps: readonly number[];
  readonly trainer: TrainerInfo | null;
}

/** The answers of a run, asked for when somebody wants to see them. */
export function RolloutsOf({ job, steps, trainer }: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="rft-training-more" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Answers it learned from</summary>
      {isOpen &&
        (steps.length === 0 ? (
          <p className="rft-note">{none(trainer)}</p>
        ) : (
          <Asked job={job} steps={steps} />
        ))}
    </details>
  );
}

function none(trainer: TrainerInfo | null): string {
  if (trainer && !trainer.capabilities.rollouts) {
    return `${trainer.title} does not hand out the answers that it learns from.`;
  }
  return "None yet: they come with the first steps.";
}

function Asked({ job, steps }: Pick<Props, "job" | "steps">) {
  const rpc = useRpc();
  const navigation = useNavigation();
  // It stays while newer ones come: somebody is reading.
  const [step, setStep] = useState(steps.at(-1) ?? 0);
  const page = useLoaded((signal) => rpc.call("rollouts", { job, step }, signal), {
    revision: 0,
    subject: String(step),
  });
  return (
    <Rollouts
      steps={steps}
      step={step}
      page={page}
      onStep={setStep}
      onRecord={(record) =>
        navigation.open({
          kind: "records",
          preset: { where: { ids: [record] }, badge: "The prompt of an answer" },
        })
      }
    />
  );
}
