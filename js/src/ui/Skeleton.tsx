interface Props {
  readonly lines?: number;
}

/** Stands where something is about to be, in about its size. */
export function Skeleton({ lines = 3 }: Props) {
  return (
    <div className="rft-skeletons" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} className="rft-skeleton" />
      ))}
    </div>
  );
}
