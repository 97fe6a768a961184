"""A page in a real browser, spoken to by the DevTools protocol."""

import base64
import contextlib
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio")
needs_a_browser = [
    pytest.mark.slow,
    pytest.mark.extra,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a browser, Chromium or Chrome"),
]
"""What is set as ``pytestmark`` by a file whose tests take one."""
KEYS = {
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
    "Delete": 46,
    "End": 35,
    "Enter": 13,
    "Escape": 27,
    "Home": 36,
    "Tab": 9,
    " ": 32,
}
ALT, CTRL, META, SHIFT = 1, 2, 4, 8


class Tab:
    """One tab. ``events`` are those of the domains that were enabled, in their order."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._sent = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, **params: Any) -> Any:
        """Call a method of the protocol; returns its result."""
        self._sent += 1
        self._socket.send(json.dumps({"id": self._sent, "method": method, "params": params}))
        while (reply := json.loads(self._socket.recv(timeout=30))).get("id") != self._sent:
            self.events.append(reply)
        assert "error" not in reply, reply
        return reply["result"]

    def run(self, code: str) -> Any:
        """Run an expression; returns its value, that of a promise when it is kept."""
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
        """Wait until an expression is true; returns its value."""
        for _ in range(900):
            if value := self.run(code):
                return value
            time.sleep(0.1)
        raise AssertionError(f"never true: {code}; the page complains: {self.complaints}")

    def open(self, url: str) -> None:
        """Go to a page, and wait until it is loaded; listen to its console and its requests."""
        for domain in ("Runtime", "Log", "Network", "Page"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        self.call("Page.navigate", url=url)
        self.wait("location.href !== 'about:blank' && document.readyState === 'complete'")

    def size(self, width: int, height: int = 900, *, mobile: bool = False) -> None:
        """Give the window a size in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=mobile,
        )

    def scheme(self, name: str) -> None:
        """Prefer ``light`` or ``dark``."""
        feature = {"name": "prefers-color-scheme", "value": name}
        self.call("Emulation.setEmulatedMedia", features=[feature])

    def press(self, key: str, modifiers: int = 0) -> None:
        """Press a key and let it go."""
        code = KEYS.get(key) or ord(key.upper())
        about = {"key": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        if len(key) == 1 and not modifiers & (CTRL | META):
            about["text"] = key
        if key == "Enter":
            about["text"] = "\r"
        self.call("Input.dispatchKeyEvent", type="keyDown", **about)
        self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def type(self, words: str) -> None:
        """Type words into what has the focus."""
        self.call("Input.insertText", text=words)

    def middle(self, selector: str) -> tuple[float, float]:
        """Return where the middle of an element is in the window, after scrolling to it.

        Of words on several lines it is the middle of those on the first one.
        """
        place = self.run(
            "((found) => { found.scrollIntoView({ block: 'center', behavior: 'instant' });"
            "const { x, y, width, height } = found.getClientRects()[0];"
            "return [x + width / 2, y + height / 2]; })"
            f"(document.querySelector({json.dumps(selector)}))"
        )
        return place[0], place[1]

    def mouse(self, kind: str, at: Sequence[float], **about: Any) -> None:
        """Dispatch a mouse event: ``mousePressed``, ``mouseMoved``, ``mouseReleased``."""
        x, y = at
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **about)

    def hover(self, selector: str) -> None:
        """Put the mouse on the middle of an element."""
        self.mouse("mouseMoved", self.middle(selector))

    def click(self, selector: str) -> None:
        """Click on the middle of an element."""
        at = self.middle(selector)
        self.drag(at, at)

    def drag(self, start: Sequence[float], end: Sequence[float]) -> None:
        """Press the mouse at one place and let it go at another."""
        self.mouse("mouseMoved", start)
        self.mouse("mousePressed", start, button="left", buttons=1, clickCount=1)
        if tuple(start) != tuple(end):
            half = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
            self.mouse("mouseMoved", half, button="left", buttons=1)
            self.mouse("mouseMoved", end, button="left", buttons=1)
        self.mouse("mouseReleased", end, button="left", clickCount=1)

    def files(self, selector: str, *paths: Path) -> None:
        """Choose files in a file input."""
        node = self.call("Runtime.evaluate", expression=f"document.querySelector({selector!r})")
        self.call(
            "DOM.setFileInputFiles",
            files=[str(path) for path in paths],
            objectId=node["result"]["objectId"],
        )

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Write a screenshot, as PNG or WebP; of the whole page, or of what is in the window."""
        shot = self.call(
            "Page.captureScreenshot",
            format="webp" if path.suffix == ".webp" else "png",
            captureBeyondViewport=whole,
        )
        path.write_bytes(base64.b64decode(shot["data"]))

    @property
    def complaints(self) -> list[str]:
        """What the console and the browser had to say against the page: errors and warnings."""
        self.run("0")  # what came before it has been read then
        said = []
        for event in self.events:
            about = event.get("params", {})
            if event.get("method") == "Log.entryAdded":
                said += [about["entry"]["text"]] if about["entry"]["level"] != "verbose" else []
            elif event.get("method") == "Runtime.exceptionThrown":
                said.append(json.dumps(about["exceptionDetails"])[:2000])
            elif event.get("method") == "Runtime.consoleAPICalled":
                kinds = {"error", "warning", "assert"}
                said += [json.dumps(about["args"])[:2000]] if about["type"] in kinds else []
        return said

    @property
    def asked(self) -> list[str]:
        """The URLs of all requests of the page."""
        self.run("0")
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
        ]


@contextlib.contextmanager
def browsing(profile: Path) -> Iterator[Tab]:
    """Start a browser with a profile of its own; one empty tab."""
    connect = pytest.importorskip("websockets.sync.client").connect
    line = [str(CHROMIUM), *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*line, "about:blank"], **quiet) as browser:  # type: ignore[call-overload]
        try:
            port = ""
            for _ in range(900):
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


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    """A tab of a browser of the test's own."""
    with browsing(tmp_path / "profile") as one:
        yield one
