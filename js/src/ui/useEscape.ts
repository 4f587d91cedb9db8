import { type RefObject, useEffect, useRef } from "react";

/**
 * What Escape does while the focus is in an element, instead of closing the dialog around it.
 * Dialogs listen in the document, before anything in it gets the key: so it is caught above.
 */
export function useEscape(element: RefObject<HTMLElement | null>, onEscape: () => void): void {
  const latest = useRef(onEscape);
  latest.current = onEscape;
  useEffect(() => {
    const caught = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.isComposing) return;
      if (!element.current?.contains(document.activeElement)) return;
      event.stopPropagation();
      event.preventDefault();
      latest.current();
    };
    window.addEventListener("keydown", caught, { capture: true });
    return () => window.removeEventListener("keydown", caught, { capture: true });
  }, [element]);
}
