import type { TrainerInfo } from "../../contract.gen";
import { Badge } from "../../ui/Badge";
import { Steps } from "./Steps";
import { Supports } from "./Supports";
import { Words } from "./Words";

interface Props {
  readonly trainers: readonly TrainerInfo[];
  readonly value: string;
  onChange(name: string): void;
}

/** Where to train: what each way is, needs and supports, and what is missing before it can be used. */
export function TrainerChoice({ trainers, value, onChange }: Props) {
  return (
    <fieldset className="rft-training-trainers">
      <legend className="rft-section-title">Where</legend>
      {trainers.map((one) => {
        const isReady = one.missing === "";
        return (
          <div
            key={one.name}
            className={isReady ? "rft-training-trainer" : "rft-training-trainer rft-training-off"}
          >
            <label>
              <input
                type="radio"
                name="rft-trainer"
                value={one.name}
                checked={one.name === value}
                disabled={!isReady}
                onChange={() => onChange(one.name)}
              />
              <strong>{one.title}</strong>
              <Badge tone={isReady ? "ok" : "idle"}>{isReady ? "Ready" : "Not ready"}</Badge>
              <span>{one.description}</span>
            </label>
            <small>
              Needs: <Words text={one.needs} />
            </small>
            {!isReady && <Steps words={one.missing} />}
            <Supports trainer={one} />
          </div>
        );
      })}
    </fieldset>
  );
}
