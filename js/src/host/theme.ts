// Which of our palettes fits the page: JupyterLab's colours, or our own where no Lab is.
import { useSyncExternalStore } from "react";

export type Theme = "lab-light" | "lab-dark" | "app";

export function readTheme(body: HTMLElement = document.body): Theme {
  // Voila carries Lab's attributes, too, but the page is ours there.
  if (body.dataset.voila !== undefined || body.dataset.jpThemeLight === undefined) return "app";
  return body.dataset.jpThemeLight === "false" ? "lab-dark" : "lab-light";
}

function subscribe(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.body, { attributeFilter: ["data-jp-theme-light", "data-voila"] });
  return () => observer.disconnect();
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, readTheme);
}
