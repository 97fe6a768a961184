"""A page of the server in a browser."""

from collections.abc import Iterator

import pytest

from deixis.testing import scripted
from tests.browser import Tab, browsing
from tests.serving.conftest import running


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """One browser for all tests of the page; it takes seconds to start."""
    with browsing(tmp_path_factory.mktemp("browser")) as one:
        yield one


@pytest.fixture(scope="module")  # no longer: other tests list what providers there are
def address() -> Iterator[str]:
    """The URL of a server that asks for no token, and keeps no gold."""
    with scripted(lambda _: None), running() as server:
        yield server.url


@pytest.fixture
def page(browser: Tab, address: str) -> Iterator[Tab]:
    """The page, just opened."""
    yield from opened(browser, address)


def opened(browser: Tab, url: str) -> Iterator[Tab]:
    """Open the page; leave nothing of it when the test is over."""
    browser.events.clear()
    browser.open(url)
    browser.wait("!!document.querySelector('#ask form, dialog')")
    yield browser
    browser.run("sessionStorage.clear()")
    browser.call("Page.navigate", url="about:blank")
