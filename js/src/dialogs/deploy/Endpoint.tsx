// One deployment: where it answers, what went through it, and how to take it back.
import { Gauge, Play, Square, Undo2 } from "lucide-react";
import { useState } from "react";
import type { DeploymentView, RevealedToken, TrainedModel } from "../../contract.gen";
import type { Job } from "../../host/jobs";
import type { Action } from "../../host/loaded";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Confirm } from "../../ui/Confirm";
import { JobProgress } from "../../ui/JobProgress";
import { ProblemNote } from "../../ui/ProblemNote";
import { ago, exact } from "../../ui/time";
import { Access } from "./Access";
import { MODE_TITLES } from "./ModeForm";
import { Traffic } from "./Traffic";

const SERVED_WORDS = {
  served: "Serving",
  starting: "Starting…",
  not_served: "Not served",
} as const;
const SERVED_TONES = { served: "ok", starting: "busy", not_served: "warn" } as const;

export type EndpointCommand = "start" | "stop" | "roll_back" | "measure_outcome";

interface Props {
  readonly deployment: DeploymentView;
  /** The training run that it is of, while it is known. */
  readonly trained: TrainedModel | null;
  readonly command: Action<[name: EndpointCommand]>;
  readonly measured: Job;
  onReveal(): Promise<RevealedToken>;
}

export function Endpoint({ deployment, trained, command, measured, onReveal }: Props) {
  const [isAsking, setAsking] = useState(false);
  const { mode, status, served, base_url, model, base_model, ratio, upstream } = deployment;
  const isActive = status === "active";
  const share = mode === "ab_test" ? ` · ${ratio} % of the users` : "";
  const beside = mode === "new_endpoint" && upstream === null ? "" : ` · base model ${base_model}`;
  const of = trained
    ? ` · step ${deployment.checkpoint ?? trained.own_step} of the run of ${ago(trained.created_at)}`
    : "";
  return (
    <article className="rft-card rft-deploy-endpoint" aria-label={model}>
      <header>
        <h3 className="rft-mono">{model}</h3>
        <Badge>{MODE_TITLES[mode]}</Badge>
        {!isActive && <Badge tone="bad">Rolled back</Badge>}
        {(isActive || served !== "not_served") && (
          <Badge tone={SERVED_TONES[served]}>{SERVED_WORDS[served]}</Badge>
        )}
        <span className="rft-note" title={exact(deployment.created_at)}>
          {`deployed ${ago(deployment.created_at)}${of}${share}${beside}`}
          {upstream !== null && ` at ${upstream}`}
        </span>
      </header>
      {command.problem && <ProblemNote problem={command.problem} />}
      {base_url !== null && deployment.snippet !== null ? (
        <Access
          key={base_url}
          baseUrl={base_url}
          model={model}
          snippet={deployment.snippet}
          isKept={deployment.by_worker}
          onReveal={onReveal}
        />
      ) : (
        <p className="rft-note" role="status">
          {whyNot(deployment)}
        </p>
      )}
      {base_url !== null && deployment.said !== "" && <p className="rft-note">{deployment.said}</p>}
      <Traffic deployment={deployment} />
      {(measured.isRunning || measured.state?.status === "failed") && (
        <JobProgress job={measured} onRetry={() => void command.run("measure_outcome")} />
      )}
      <footer className="rft-row">
        {served === "not_served" ? (
          <Button
            icon={<Play size={14} aria-hidden />}
            isBusy={command.isBusy}
            onClick={() => void command.run("start")}
          >
            Start
          </Button>
        ) : (
          <Button
            icon={<Square size={12} aria-hidden />}
            isBusy={command.isBusy}
            onClick={() => void command.run("stop")}
          >
            Stop
          </Button>
        )}
        {deployment.arms.length > 0 && deployment.keep_exchanges && !measured.isRunning && (
          <Button
            icon={<Gauge size={14} aria-hidden />}
            disabled={command.isBusy}
            onClick={() => void command.run("measure_outcome")}
          >
            Measure Outcome
          </Button>
        )}
        {isActive && (
          <Button
            look="danger"
            className="rft-deploy-back"
            icon={<Undo2 size={14} aria-hidden />}
            disabled={command.isBusy}
            onClick={() => setAsking(true)}
          >
            Roll Back
          </Button>
        )}
      </footer>
      {isAsking && (
        <Confirm
          title={`Roll back ${model}?`}
          action="Roll Back"
          isDangerous
          onConfirm={() => {
            setAsking(false);
            void command.run("roll_back");
          }}
          onCancel={() => setAsking(false)}
        >
          {mode === "new_endpoint"
            ? "From the next request on, its name is refused, wherever it is served. The deployment stays in the list."
            : `From the next request on, ${base_model} answers everything, wherever it is served. The deployment stays in the list.`}
        </Confirm>
      )}
    </article>
  );
}

function whyNot({ status, served, said, rolled_back_at, created_at }: DeploymentView): string {
  if (served === "starting") return "Its server starts.";
  if (status === "rolled_back") return `Rolled back ${ago(rolled_back_at ?? created_at)}. ${said}`;
  return said || "It was stopped, or ended with the process that had served it.";
}
