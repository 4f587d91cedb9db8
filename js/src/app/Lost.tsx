// Says that the kernel cannot be reached, and comes back to the same place once there is one.
import { useEffect } from "react";
import type { Connection } from "../host/connection";
import { Button } from "../ui/Button";

interface Props extends Connection {
  /** The page is the app's own: loading it again gets another kernel. */
  readonly isApp: boolean;
}

const RELOAD_MS = 1_500;

export function Lost({ status, retry, isApp }: Props) {
  const isGone = status === "gone";
  useEffect(() => {
    if (!isGone || !isApp) return;
    const timer = setTimeout(() => window.location.reload(), RELOAD_MS);
    return () => clearTimeout(timer);
  }, [isGone, isApp]);
  return (
    <div className="rft-lost" role="alert">
      <strong>{isGone ? "This page has lost its kernel." : "Connection lost."}</strong>
      <span>
        {!isGone && "Trying to reconnect. What runs in the background goes on."}
        {isGone && (isApp ? "It opens again at the same place." : "Run the cell to reconnect.")}
      </span>
      {!isGone && <Button onClick={retry}>Try Now</Button>}
      {isGone && isApp && <Button onClick={() => window.location.reload()}>Reload</Button>}
    </div>
  );
}
