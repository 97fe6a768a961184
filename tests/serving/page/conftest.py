"""A page of the server in a browser."""

from collections.abc import Iterator

import pytest

from tests.browser import Tab, browsing

from .stand_in import stand_in
from .stand_in_offers import OFFERS


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """One browser for all tests of the page; it takes seconds to start."""
    with browsing(tmp_path_factory.mktemp("browser")) as one:
        yield one


@pytest.fixture
def page(browser: Tab) -> Iterator[Tab]:
    """The page of a server that offers nothing, whose modules can be imported."""
    browser.events.clear()
    with stand_in({}, OFFERS) as url:
        browser.open(url)
        yield browser
    browser.call("Page.navigate", url="about:blank")
