// The page around the app: its skeleton, goodbye to its kernel, and what to do when that is gone.
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

  function say(text, button) {
    const note = find("#rft-wait");
    note.textContent = text;
    note.hidden = !text;
    if (!button) return;
    const again = document.createElement("button");
    again.textContent = button;
    again.addEventListener("click", () => location.reload());
    note.append(again);
  }

  const GONE = "This page was away for too long. Nothing is lost: its work goes on.";
  const AWAY = "The app does not answer. What is at work goes on; this page tries again.";
  let state = "fine";

  async function look() {
    if (!kernel() || document.visibilityState === "hidden" || state === "gone") return;
    if (find(".rft-app")) return; // it says so itself
    let status = 0;
    try {
      const url = `${base}api/kernels/${kernel()}`;
      status = (await fetch(url, { redirect: "manual", cache: "no-store" })).status;
    } catch {
      // nobody is there
    }
    const now = status === 200 ? "fine" : status === 404 || status === 403 ? "gone" : "away";
    if (now === state) return;
    state = now;
    if (now === "gone") say(GONE, "Reload");
    else say(now === "away" ? AWAY : "");
  }
  setInterval(look, 5000);
  document.addEventListener("visibilitychange", look);
  addEventListener("load", () => {
    setTimeout(() => {
      if (find("#rft-skeleton")) say("The app is starting. This takes a moment the first time.");
    }, 6000);
    new MutationObserver((_, observer) => {
      if (find("#rft-skeleton")) return;
      observer.disconnect();
      if (state === "fine") say("");
    }).observe(document.body, { childList: true });
  });
})();
