// The seven steps as dots.
import { type DatasetCard, FINISHED, PIPELINE_STEPS } from "../../contract.gen";

type Steps = DatasetCard["steps"];

/** Shapes, so that the state is told by more than a colour. */
const MARKS: Partial<Record<Steps[number], string>> = {
  active: "✓",
  complete: "✓",
  configured: "✓",
  passed: "✓",
  attention: "!",
  failed: "×",
};

export function MiniPipeline({ steps }: { readonly steps: Steps }) {
  return (
    <ol className="rft-mini" aria-label="Steps">
      {PIPELINE_STEPS.map(({ id, name }, index) => {
        const status = steps[index] ?? "waiting";
        const isDone = status === "active" || FINISHED.some((one) => one === status);
        return (
          <li
            key={id}
            className={`rft-mini-step rft-is-${status}${isDone ? " rft-mini-done" : ""}`}
            title={`${id}. ${name}: ${status}`}
          >
            <span aria-hidden>{MARKS[status] ?? ""}</span>
            <span className="rft-hidden">{`${name}: ${status}`}</span>
          </li>
        );
      })}
    </ol>
  );
}
