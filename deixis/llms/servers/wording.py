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
    texts = list(dict.fromkeys(" ".join(words.split()) for words in _texts(body, _DEEP)))
    return "; ".join(filter(None, texts))[:_LONGEST]


def _texts(node: Any, deep: int) -> list[str]:
    if isinstance(node, str):
        try:
            inner = json.loads(node) if node.lstrip()[:1] in {"{", "["} else None
        except (ValueError, RecursionError):
            inner = None
        if isinstance(inner, dict | list) and deep:
            return _texts(inner, deep - 1)
        return [_TAGS.sub(" ", node[:_READ]) if node.lstrip()[:1] == "<" else node]
    if isinstance(node, list) and deep:
        return [text for child in node[:_MANY] for text in _texts(child, deep - 1)]
    if not isinstance(node, dict) or not deep:
        return []
    if isinstance(node.get("msg"), str):  # of FastAPI; what was sent stands beside it
        place = node.get("loc")
        named = [str(step) for step in place if step != "body"] if isinstance(place, list) else []
        return [": ".join(filter(None, [".".join(named), node["msg"]]))]
    texts = [text for name in _PLACES if name in node for text in _texts(node[name], deep - 1)]
    for name in (node[key] for key in _NAMES if texts and isinstance(node.get(key), str)):
        texts[0] += f" (parameter {name})" if name not in texts[0] else ""
    if not texts and deep < _DEEP:  # names with what is wrong of each
        texts = [f"{name}: {text}" for name in list(node)[:_MANY] for text in _texts(node[name], 1)]
    return texts
