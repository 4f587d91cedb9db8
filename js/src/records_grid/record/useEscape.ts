// Escape in a part of a dialog leaves that part, and does not close the dialog.
import { type RefObject, useEffect, useRef } from "react";

/** Dialogs listen in the document, before anything in it gets the key: so it is caught above. */
export function useEscape(
  inside: RefObject<HTMLElement | null>,
  onEscape: () => void,
  isOn: boolean,
): void {
  const latest = useRef(onEscape);
  latest.current = onEscape;
  useEffect(() => {
    if (!isOn) return;
    const caught = (event: KeyboardEvent) => {
      const { target } = event;
      if (event.key !== "Escape" || event.isComposing || !(target instanceof Element)) return;
      // Code editors take it for themselves.
      if (!inside.current?.contains(target) || target.closest(".rft-code")) return;
      event.stopPropagation();
      event.preventDefault();
      latest.current();
    };
    window.addEventListener("keydown", caught, { capture: true });
    return () => window.removeEventListener("keydown", caught, { capture: true });
  }, [inside, isOn]);
}
