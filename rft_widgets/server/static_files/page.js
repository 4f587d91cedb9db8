// The page around the app: its skeleton until it is there, and goodbye to its kernel.
// It runs before anything else, so there is no module and no build here.
"use strict";
(() => {
  const base = document.querySelector("meta[name=rft-base]").content;
  const path = location.pathname.slice(base.length).split("/").filter(Boolean);
  const isForm = path[1] === "new" || path[2] === "settings";
  document.documentElement.dataset.rftPlace = isForm ? "form" : path[1] ? "canvas" : "list";

  // Voila calls these two when its front end is there; what shows then is nothing yet.
  window.cellLoaded = true;
  window.voila_finish = () => {};

  const find = (selector) => document.querySelector(selector);
  const SHOWN = "#rendered_cells .rft, .rft-start-problem, .jp-RenderedText";

  const watcher = new MutationObserver(() => {
    if (!find(SHOWN)) return;
    watcher.disconnect();
    requestAnimationFrame(() => find("#rft-skeleton")?.remove());
  });
  watcher.observe(document, { childList: true, subtree: true });

  const kernel = () => {
    const config = find("#jupyter-config-data");
    return config ? JSON.parse(config.textContent).kernelId : undefined;
  };
  const cookie = (name) => document.cookie.match(`(?:^|; )${name}=([^;]*)`)?.[1] ?? "";

  addEventListener("pagehide", () => {
    if (!kernel()) return;
    const form = new FormData();
    form.append("_xsrf", cookie("_xsrf"));
    navigator.sendBeacon(`${base}voila/api/shutdown/${kernel()}`, form);
  });
  // A page that comes back from the browser's own cache has lost its kernel.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  // A start that takes long is said. From then on the app itself tells how things stand.
  addEventListener("load", () => {
    const note = find("#rft-wait");
    setTimeout(() => {
      if (find("#rft-skeleton")) note.hidden = false;
    }, 6000);
    new MutationObserver((_, observer) => {
      if (find("#rft-skeleton")) return;
      observer.disconnect();
      note.hidden = true;
    }).observe(document.body, { childList: true });
  });
})();
