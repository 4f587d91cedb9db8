"""What a page is like for those who do not use a mouse, or do not see it: axe-core, and Tab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
"""A development dependency of the page code."""


def violations(page: Any, where: Any) -> list[str]:
    """What axe-core calls serious or critical in the elements of a locator that are shown."""
    if not page.evaluate("() => Boolean(window.axe?.run)"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    where.first.wait_for()
    return where.evaluate_all(_RUN_AXE)


def tab_through(page: Any, where: Any) -> tuple[list[str], list[str]]:
    """Press Tab through an element: which controls it missed, and which do not show the focus."""
    controls: dict[str, str] = where.evaluate(_MARK_CONTROLS)
    where.evaluate(_FOCUS_BEFORE)
    left, unseen = dict(controls), []
    in_editor = False
    for _ in range(2 * len(controls) + 4):
        if not left:
            break
        if in_editor:
            page.keyboard.press("Escape")  # Tab is text there; the next one is not
        page.keyboard.press("Tab")
        at = page.evaluate(_FOCUSED)
        in_editor = at["types"]
        reached = [mark for mark in (at["mark"], *at["groups"]) if left.pop(mark, None) is not None]
        if reached and not at["shows"]:
            unseen.append(controls[reached[0]])
    return list(left.values()), unseen


_RUN_AXE = r"""
async found => {
  const include = found.filter(one => one.checkVisibility());
  const { violations } = await window.axe.run({ include }, { resultTypes: ["violations"] });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target, html, failureSummary }) =>
      `${id}: ${target.join(" ")}\n  ${html.slice(0, 200)}\n  ${failureSummary}`));
}
"""

# Controls that Tab should come to: one of radio buttons of one name, none that is off or hidden.
_MARK_CONTROLS = r"""
root => {
  const all = "a[href], button, input, select, textarea, [contenteditable=true], [tabindex]";
  const off = ":disabled, [inert] *, [aria-hidden=true], [aria-hidden=true] *";
  const isShown = one => one.checkVisibility({ visibilityProperty: true });
  const groups = new Set();
  const found = {};
  for (const one of document.querySelectorAll("[data-test-mark]")) delete one.dataset.testMark;
  for (const one of root.querySelectorAll(all)) {
    if (one.tabIndex < 0 || one.matches(off) || !isShown(one)) continue;
    if (one.type === "radio") {
      const group = root.querySelectorAll(`input[type=radio][name="${CSS.escape(one.name)}"]`);
      const checked = [...group].find(other => other.checked);
      if (groups.has(one.name) || (checked ?? one) !== one) continue;
      groups.add(one.name);
    }
    const mark = String(Object.keys(found).length);
    const words = one.ariaLabel || one.innerText || one.name || String(one.className);
    found[mark] = `${one.localName} ${JSON.stringify(words.slice(0, 60))}`;
    one.dataset.testMark = mark;
  }
  return found;
}
"""

_FOCUS_BEFORE = r"""
root => {
  if (root.hasAttribute("tabindex")) return root.focus();
  const start = document.createElement("span");
  start.tabIndex = -1;
  root.prepend(start);
  start.focus();
  start.addEventListener("blur", () => start.remove());
}
"""

# The focus is seen as an outline or a shadow of the control, or as an outline of what it fills.
_FOCUSED = r"""
() => {
  const one = document.activeElement;
  const IN_GROUPS = ["tablist", "tree", "toolbar", "radiogroup", "listbox", "grid", "menubar"]
    .map(role => `[role=${role}][data-test-mark]`).join(", ");
  const isOutlined = element => {
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return outlineStyle !== "none" && parseFloat(outlineWidth) > 0;
  };
  const around = [one]; // of an editor, the frame stands four levels up
  while (around.length < 5 && around.at(-1).parentElement) around.push(around.at(-1).parentElement);
  const shows = around.some(isOutlined) || getComputedStyle(one).boxShadow !== "none";
  // A group that passes the focus on to one of its members is reached with that member.
  const groups = [];
  let up = one;
  while ((up = up.parentElement?.closest(IN_GROUPS))) groups.push(up.dataset.testMark);
  const types = one.isContentEditable;
  return { mark: one.dataset.testMark ?? null, groups, shows, types };
}
"""
