// Where a dialog goes, and what it does to the page beneath it.
import { useLayoutEffect, useState } from "react";
import { usePortal } from "../host/portal";

let open = 0;

/**
 * The container of a dialog that everything else waits for.
 *
 * Keeps the page's body in its place while a dialog locks scrolling: the lock makes it `relative`,
 * and JupyterLab's, which is `absolute`, would have no height then, and its notebook none either.
 */
export function useModalPortal(): HTMLElement {
  const container = usePortal();
  const [position] = useState(() => getComputedStyle(document.body).position);
  useLayoutEffect(() => {
    open += 1;
    if (open === 1) document.body.style.setProperty("position", position, "important");
    return () => {
      open -= 1;
      if (open === 0) document.body.style.removeProperty("position");
    };
  }, [position]);
  return container;
}
