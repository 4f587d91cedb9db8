import type { Problem } from "../contract.gen";

interface Props {
  readonly problem: Problem;
  readonly onRetry?: () => void;
}

/** An error in words, with what to do about it. */
export function ProblemNote({ problem, onRetry }: Props) {
  return (
    <div className="rft-problem" role="alert">
      <strong>{problem.message}</strong>
      {problem.hint && <span>{problem.hint}</span>}
      {onRetry && (
        <button type="button" className="rft-button" onClick={onRetry}>
          Retry
        </button>
      )}
    </div>
  );
}
