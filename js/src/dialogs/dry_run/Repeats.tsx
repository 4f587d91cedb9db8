// Prompts that have several answers: how often one, or all of them, succeed.
import type { RepeatScores } from "../../contract.gen";
import { count, percent } from "../../ui/numbers";
import { Stat, Stats } from "../../ui/Stat";

export function Repeats({ repeats }: { readonly repeats: RepeatScores }) {
  const { variance } = repeats;
  return (
    <section className="rft-card" aria-label="Several answers to a prompt">
      <h3 className="rft-section-title">Several answers to a prompt</h3>
      <div className="rft-dry-repeats">
        <Stats>
          <Stat
            label="Prompts with mixed scores"
            value={percent(repeats.mixed_share)}
            note={`of ${count(repeats.prompts)}; only these teach`}
          />
          <Stat
            label="One score throughout"
            value={count(repeats.unvaried_prompts)}
            note="prompts"
          />
          <Stat
            label="Variance between / within"
            value={`${digits(variance.between)} / ${digits(variance.within)}`}
            note="of prompts"
          />
        </Stats>
        <table className="rft-dry-table">
          <thead>
            <tr>
              <th scope="col">k</th>
              <th scope="col" className="rft-number" title="Chance that one of k answers succeeds">
                pass@k
              </th>
              <th scope="col" className="rft-number" title="Chance that all of k answers succeed">
                pass^k
              </th>
            </tr>
          </thead>
          <tbody>
            {Object.entries(repeats.pass_at).map(([k, share]) => (
              <tr key={k}>
                <th scope="row">{k}</th>
                <td className="rft-number">{percent(share)}</td>
                <td className="rft-number">{percent(repeats.pass_hat[k] ?? 0)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const digits = (value: number | null): string => (value === null ? "unknown" : value.toFixed(3));
