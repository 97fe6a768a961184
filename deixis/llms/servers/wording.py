"""What a server says of a fault in its own words, wherever in the reply they stand."""

import json
import re
from typing import Any

_PLACES = (
    *("error", "message", "detail", "errors", "details", "innererror", "metadata", "raw"),
    *("error_description", "description", "reason"),
)
_NAMES = ("param", "field")  # of what is wrong
_DEEP, _MANY, _LONGEST = 8, 5, 300
_TAGS = re.compile(r"(?is)<(script|style)\b.*?</\1\s*>|<[^<>]*>")
_READ = 20_000  # characters of a page


def words_of(error: BaseException) -> str:
    """Return what the server that refused a request said, on one line; "" if it said nothing."""
    at: BaseException | None = error
    for _ in range(_DEEP):
        if at is None:
            break
        response = getattr(at, "response", None)
        text = getattr(response, "text", None)
        body = text if isinstance(text, str) and text.strip() else getattr(at, "body", None)
        if body:
            return words_in(body)
        at = at.__cause__ or at.__context__
    return ""


def words_in(body: Any) -> str:
    """Return the words in the body of a reply: JSON of any shape, a page, or plain text."""
    said = list(dict.fromkeys(" ".join(each.split()) for each in _said(body, _DEEP)))
    return "; ".join(filter(None, said))[:_LONGEST]


def _said(node: Any, deep: int) -> list[str]:
    if isinstance(node, str):
        try:
            inner = json.loads(node) if node.lstrip()[:1] in {"{", "["} else None
        except (ValueError, RecursionError):
            inner = None
        if isinstance(inner, dict | list) and deep:
            return _said(inner, deep - 1)
        return [_TAGS.sub(" ", node[:_READ]) if node.lstrip()[:1] == "<" else node]
    if isinstance(node, list) and deep:
        return [one for each in node[:_MANY] for one in _said(each, deep - 1)]
    if not isinstance(node, dict) or not deep:
        return []
    if isinstance(node.get("msg"), str):  # of FastAPI; what was sent stands beside it
        place = node.get("loc")
        named = [str(each) for each in place if each != "body"] if isinstance(place, list) else []
        return [": ".join(filter(None, [".".join(named), node["msg"]]))]
    found = [one for name in _PLACES if name in node for one in _said(node[name], deep - 1)]
    for name in (node[each] for each in _NAMES if found and isinstance(node.get(each), str)):
        found[0] += f" (parameter {name})" if name not in found[0] else ""
    if not found and deep < _DEEP:  # names with what is wrong of each
        found = [f"{name}: {one}" for name in list(node)[:_MANY] for one in _said(node[name], 1)]
    return found
