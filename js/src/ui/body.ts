// What a dialog does to the page beneath it.
import { useLayoutEffect, useState } from "react";

let open = 0;

/**
 * Keep the page's body in its place while a dialog locks scrolling: the lock makes it `relative`,
 * and JupyterLab's, which is `absolute`, would have no height then, and its notebook none either.
 */
export function useBodyInPlace(): void {
  const [position] = useState(() => getComputedStyle(document.body).position);
  useLayoutEffect(() => {
    open += 1;
    if (open === 1) document.body.style.setProperty("position", position, "important");
    return () => {
      open -= 1;
      if (open === 0) document.body.style.removeProperty("position");
    };
  }, [position]);
}
