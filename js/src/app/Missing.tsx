// A page that is not there, with the way to what is.
import type { Problem } from "../contract.gen";
import { Empty } from "../ui/Empty";
import { ProblemNote } from "../ui/ProblemNote";
import { PageHead } from "./PageHead";
import { LIST } from "./router";
import { Link } from "./routing";

interface Props {
  readonly problem?: Problem | null;
  readonly onRetry?: () => void;
}

export function Missing({ problem, onRetry }: Props) {
  const isFault = problem && problem.code !== "not_found";
  return (
    <>
      <PageHead name={isFault ? "Something went wrong" : "Not found"} />
      <div className="rft-page-body">
        {isFault ? (
          <ProblemNote problem={problem} {...(onRetry ? { onRetry } : {})} />
        ) : (
          <Empty
            title={problem ? "This dataset does not exist" : "There is no such page"}
            action={
              <Link to={LIST} className="rft-button rft-button-main">
                Back to Your Datasets
              </Link>
            }
          >
            {problem
              ? "It may have been deleted, or the address is not quite right."
              : "The address is not quite right."}
          </Empty>
        )}
      </div>
    </>
  );
}
