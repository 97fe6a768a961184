"""How the tests read a page."""

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest


class _Tags(HTMLParser):
    """Collects the tags of a page, and checks that they close in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append(tag)
        if tag not in {"meta", "img", "br", "link"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


@pytest.fixture
def tags_of() -> Callable[[str], list[str]]:
    """Return the tags of a page, which has to close them in order."""
    return lambda page: _Tags(page).found
