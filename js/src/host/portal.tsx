// Where dialogs and menus go: one container at the end of the page, under our own styles.
import { useTheme } from "./theme";

const MARK = "data-rft-portal";

/** Keep Lab's shortcuts and context menu away from an element and all in it. */
export const LAB_SILENT = {
  "data-lm-suppress-shortcuts": "true",
  "data-jp-suppress-context-menu": "true",
} as const;

export function portalContainer(): HTMLElement {
  const found = document.querySelector<HTMLElement>(`[${MARK}]`);
  if (found) return found;
  const container = document.createElement("div");
  container.className = "rft";
  container.setAttribute(MARK, "");
  for (const [name, value] of Object.entries(LAB_SILENT)) container.setAttribute(name, value);
  document.body.append(container);
  return container;
}

/** The container, in the palette of the page. */
export function usePortal(): HTMLElement {
  const container = portalContainer();
  container.dataset.rftTheme = useTheme();
  return container;
}
