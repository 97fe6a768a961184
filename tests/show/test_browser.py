"""Pages of sound and video in a real browser: what is clicked is played, and nothing else runs."""

import contextlib
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .filmed import RATE, filmed, footage
from .heard import heard

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.extra,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a browser"),
]
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio")


class Tab:
    """A page in the browser, spoken to by the DevTools protocol."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._sent = 0

    def call(self, method: str, **params: Any) -> Any:
        self._sent += 1
        self._socket.send(json.dumps({"id": self._sent, "method": method, "params": params}))
        while (reply := json.loads(self._socket.recv(timeout=30))).get("id") != self._sent:
            pass
        return reply["result"]

    def run(self, code: str) -> Any:
        done = self.call(
            "Runtime.evaluate",
            expression=code,
            userGesture=True,
            returnByValue=True,
            awaitPromise=True,
        )
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def wait(self, code: str) -> Any:
        for _ in range(300):
            if value := self.run(code):
                return value
            time.sleep(0.1)
        raise AssertionError(f"never true: {code}")


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    connect = pytest.importorskip("websockets.sync.client").connect
    profile = tmp_path / "profile"
    line = [str(CHROMIUM), *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*line, "about:blank"], **quiet) as browser:  # type: ignore[call-overload]
        try:
            port = ""
            for _ in range(300):
                time.sleep(0.1)
                with contextlib.suppress(OSError, IndexError):
                    port = (profile / "DevToolsActivePort").read_text().split()[0]
                    break
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=30) as listed:
                pages = [each for each in json.load(listed) if each["type"] == "page"]
            with connect(pages[0]["webSocketDebuggerUrl"], max_size=None, proxy=None) as socket:
                yield Tab(socket)
        finally:
            browser.terminate()


def test_what_is_clicked_is_played_to_its_end(tab: Tab, tmp_path: Path) -> None:
    page = tmp_path / "heard.html"
    page.write_text(heard(tmp_path / "a.wav").to_html())
    tab.call("Page.navigate", url=page.as_uri())
    assert tab.wait("document.querySelector('audio')?.duration") == 9.0
    tab.run("sound = document.querySelector('audio'), ended = 0")
    tab.run("sound.addEventListener('pause', () => { ended = sound.currentTime }), 1")
    tab.run("document.querySelectorAll('.bar')[1].click()")
    lit = "[...document.querySelectorAll('.bar.now')].map((bar) => bar.dataset.from).join()"
    assert tab.wait(lit) == "1.5"
    assert 3.4 <= tab.wait("ended") < 3.9, "the end of what was clicked, not of the sound"
    assert tab.run(lit) == ""
    tab.run("document.querySelector('.line').focus()")
    press = {"key": "ArrowRight", "windowsVirtualKeyCode": 39}
    for kind in ("keyDown", "keyUp"):
        tab.call("Input.dispatchKeyEvent", type=kind, **press)
    assert tab.run("document.activeElement.textContent") == "Ann"


def test_a_frame_is_shown_in_the_clip(tab: Tab, tmp_path: Path) -> None:
    pytest.importorskip("av")
    page = tmp_path / "film.html"
    page.write_text(filmed().to_html(video=(footage(), RATE)))
    tab.call("Page.navigate", url=page.as_uri())
    assert tab.wait("document.querySelector('video')?.videoWidth") == 640
    tab.run("document.querySelectorAll('.strip button')[3].click()")
    assert tab.wait("document.querySelector('video').currentTime") == pytest.approx(1.6)
    assert tab.run("document.querySelector('video').paused") is True


def test_no_other_script_runs_and_nothing_is_fetched(tab: Tab, tmp_path: Path) -> None:
    page = tmp_path / "evil.html"
    evil = "<script>document.title = 'evil'</script><img src=x onerror=\"document.title='evil'\">"
    html = heard(tmp_path / "a.wav").to_html().replace("<main>", f"<main>{evil}")
    page.write_text(html)
    tab.call("Page.navigate", url=page.as_uri())
    tab.wait("document.querySelector('audio')?.duration")
    assert tab.run("document.title") == "Deixis"
    assert tab.run("fetch('data:,x').then(() => 'fetched', () => 'refused')") == "refused"
