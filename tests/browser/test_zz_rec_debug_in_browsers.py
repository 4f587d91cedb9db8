from pathlib import Path
import json
import pytest
import rft_widgets as rft
from browser.test_import_in_browsers import SHOW, lines, choose

def test_debug(opened, host, tmp_path):
    with rft.Workspace(host.database) as ws:
        ds = ws.create("Orders"); ds.add_records(map(json.loads, lines(20).splitlines()))
        path = tmp_path / "keys.jsonl"; path.write_text(lines(5, 300))
        try:
            page = opened.notebook(SHOW.format(id=ds.id), "ds.dialog('import-records')", ready=".rft-drop")
        except Exception:
            print(opened.page.inner_text("body")[:3000]); raise
        choose(page.locator(".rft-dialog"), path)
        page.get_by_role("radio", name="Append").focus()
        page.evaluate("""() => { window.__log = [];
          for (const t of ['keydown','focusin','focusout','change','input']) {
            document.addEventListener(t, e => window.__log.push([t, 'bubble', e.target.outerHTML.slice(0,60), e.defaultPrevented, e.key]), false);
            window.addEventListener(t, e => window.__log.push([t, 'capture', e.target.outerHTML.slice(0,60), e.defaultPrevented, e.key]), true);
            window.addEventListener(t, e => setTimeout(() => window.__log.push([t, 'later', e.defaultPrevented])), true);
          }
          const pd = Event.prototype.preventDefault; Event.prototype.preventDefault = function () { if (this.type === 'keydown') window.__log.push(['PD', new Error().stack.slice(0,900)]); return pd.call(this) };
        }""")
        print(page.evaluate("() => document.activeElement.outerHTML.slice(0,100)"))
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(500)
        for one in page.evaluate("() => window.__log"): print(one)
        print(page.evaluate("() => document.activeElement.outerHTML.slice(0,100)"))
