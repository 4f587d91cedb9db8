// What the grader says beside what people say; each cell opens its records.
import type { TrustCard } from "../../contract.gen";
import { count, counted } from "../../ui/numbers";

interface Props {
  readonly card: TrustCard;
  onRecords(ids: readonly string[], words: string): void;
}

export function Confusion({ card, onRecords }: Props) {
  const { steps, cells } = card;
  const most = Math.max(1, ...cells.map((cell) => cell.count));
  return (
    <section aria-label="Grader beside people">
      <h3 className="rft-section-title">
        Grader beside people <small>click a number for its records</small>
      </h3>
      <table className="rft-table rft-trust-cells">
        <thead>
          <tr>
            <th scope="col">Grader says</th>
            {steps.map((name) => (
              <th key={name} scope="col">
                <small>People say</small> {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {steps.map((name, grader) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {steps.map((said, human) => {
                const cell = cells.find((one) => one.grader === grader && one.human === human);
                const share = Math.round((40 * (cell?.count ?? 0)) / most);
                const tone = grader === human ? "ok" : "bad";
                return (
                  <td
                    key={said}
                    className={cell ? `rft-tone-${tone}` : ""}
                    style={{
                      background: cell
                        ? `color-mix(in srgb, var(--rft-tone) ${share}%, transparent)`
                        : undefined,
                    }}
                  >
                    {cell ? (
                      <button
                        type="button"
                        className="rft-link"
                        aria-label={`Show the ${counted(cell.count, "record")} of which the grader says ${name} and people say ${said}`}
                        onClick={() =>
                          onRecords(cell.record_ids, `Grader: ${name}, people: ${said}`)
                        }
                      >
                        {count(cell.count)}
                      </button>
                    ) : (
                      "0"
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
