import type { TrainerInfo } from "../../contract.gen";
import { Badge } from "../../ui/Badge";

interface Props {
  readonly trainers: readonly TrainerInfo[];
  readonly value: string;
  onChange(name: string): void;
}

/** Where to train: what each way needs, and whether it is there. */
export function TrainerChoice({ trainers, value, onChange }: Props) {
  return (
    <fieldset className="rft-training-trainers">
      <legend className="rft-section-title">Where</legend>
      {trainers.map((one) => {
        const isReady = one.missing === "";
        return (
          <label key={one.name} className={isReady ? undefined : "rft-training-off"}>
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
            <span>
              {isReady && <span>{one.description}</span>}
              <small>{isReady ? `Needs: ${one.needs}` : one.missing}</small>
            </span>
          </label>
        );
      })}
    </fieldset>
  );
}
