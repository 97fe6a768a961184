"""What is measured of a page: contrast, names of controls, width."""

import json

from tests.browser import Tab

CONTRAST = """(() => {
  const parts = (said) => (said.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, a = 1] = parts(getComputedStyle(at).backgroundColor);
      if (a === 1 && r !== undefined) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    const typed = element.matches('input:not([type=radio], [type=checkbox], [type=file]), select');
    if (!(own || typed) || !element.checkVisibility({ opacityProperty: true })) continue;
    if (element.closest('[aria-disabled=true], :disabled, .hidden, .skip')) continue;
    const style = getComputedStyle(element);
    const [one, other] = [luminance(parts(style.color)), luminance(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5))
      found.push(`${element.tagName}.${element.className} ${ratio} ${element.textContent}`);
  }
  return found;
})()"""

WIDER = """((width) => [...document.querySelectorAll('body *')].filter((element) => {
  const { left, right } = element.getBoundingClientRect();
  if (element.closest('.skip, .hidden, svg')) return false;
  for (let at = element.parentElement; at; at = at.parentElement)
    if (['auto', 'hidden'].includes(getComputedStyle(at).overflowX)) return false;
  return right > width + 1 || left < -1;
}).map((element) => `${element.tagName}.${element.className}`))"""


def faint(tab: Tab) -> list[str]:
    """Return the texts that stand out too little from what is behind them (WCAG 2.2, AA)."""
    return list(tab.run(CONTRAST))


def too_wide(tab: Tab, width: int) -> list[str]:
    """Return what reaches out of the window and cannot be scrolled to by itself."""
    return list(tab.run(f"{WIDER}({width})"))


def nameless(tab: Tab) -> list[str]:
    """Return what can have the focus and has no name for those who listen."""
    tree = tab.call("Accessibility.getFullAXTree")["nodes"]
    found = []
    for node in tree:
        states = {each["name"]: each["value"].get("value") for each in node.get("properties", [])}
        role = node.get("role", {}).get("value")
        if not states.get("focusable") or role in {"RootWebArea", "generic", "none"}:
            continue
        if not node.get("name", {}).get("value"):
            found.append(json.dumps({"role": role, "states": states}))
    return found


def twice(tab: Tab) -> list[str]:
    """Return the ids that more than one element has."""
    ids = tab.run("[...document.querySelectorAll('[id]')].map((each) => each.id)")
    return [each for each in set(ids) if ids.count(each) > 1]
