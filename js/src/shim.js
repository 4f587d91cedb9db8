// The `_esm` of every widget. The code of them all comes once a page, as an answer of the model
// `_bundle`: it is no synced state, so no saved notebook holds it. Only plain JavaScript here.
globalThis.__rft_widgets__ ??= new Map(); // sha -> Promise<module>, for all kernels of the page
const loaded = globalThis.__rft_widgets__;

const LOST = "This view has no kernel any more: run the cell to reconnect.";

function fetchCode(bundle) {
  return new Promise((resolve, reject) => {
    const id = `code-${Math.random().toString(36).slice(2)}`;
    let again;
    const receive = (message) => {
      if (message?.kind !== "rft:result" || message.id !== id) return;
      bundle.off("msg:custom", receive);
      clearInterval(again);
      message.ok ? resolve(message.value) : reject(new Error(message.error.message));
    };
    const ask = () => bundle.send({ kind: "rft:call", id, method: "get_code", params: {} });
    bundle.on("msg:custom", receive);
    ask();
    if (threadOf(bundle)) return;
    // JupyterLab gives comms a thread of their own in the kernel a moment after the first of them
    // opened. What was sent before waits until the cell that runs has ended: ask once more then.
    again = setInterval(() => {
      if (!threadOf(bundle)) return;
      clearInterval(again);
      ask();
    }, 500);
  });
}

const threadOf = (bundle) => bundle.comm?.jsServicesComm?.subshellId;

async function evaluate(bundle) {
  const { sha, code, css } = await fetchCode(bundle);
  const style = document.createElement("style");
  style.dataset.rftStyle = sha;
  style.textContent = css;
  document.head.append(style);
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  return import(url).finally(() => URL.revokeObjectURL(url));
}

function importBundle(bundle) {
  const sha = bundle.get("sha");
  if (!loaded.has(sha)) {
    const module = evaluate(bundle);
    module.catch(() => loaded.delete(sha)); // the next view may have more luck
    loaded.set(sha, module);
  }
  return loaded.get(sha);
}

function say(el, text) {
  const note = document.createElement("p");
  note.className = "rft-note";
  note.style.cssText = "margin:0;padding:12px;font:13px system-ui,sans-serif;opacity:.8";
  note.textContent = text;
  el.replaceChildren(note);
}

async function findBundle(model) {
  const id = model.get("_bundle").slice("IPY_MODEL_".length);
  const bundle = await model.widget_manager.get_model(id).catch(() => undefined);
  return bundle?.comm_live ? bundle : undefined;
}

export default {
  async render(ctx) {
    const { model, el, signal } = ctx;
    say(el, "Waiting for the kernel…");
    const bundle = await findBundle(model);
    if (!bundle) {
      say(el, LOST);
      return;
    }
    let unmount = () => {};
    let turn = 0;
    const mount = async () => {
      const mine = ++turn;
      try {
        const { mountWidget } = await importBundle(bundle);
        if (mine !== turn || signal?.aborted) return;
        unmount();
        el.replaceChildren();
        unmount = mountWidget(model.get("_component"), ctx);
      } catch (error) {
        say(el, `rft_widgets could not start: ${error?.message ?? error}`);
        console.error(error);
      }
    };
    bundle.on("change:sha", mount); // a new build: every open view starts again with it
    mount(); // not awaited: the kernel may be busy for longer than a view may take to render
    return () => {
      turn++;
      bundle.off("change:sha", mount);
      unmount();
    };
  },
};
