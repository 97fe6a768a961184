"""Pages of sound and video in a real browser: what is clicked is played, and nothing else runs."""

from pathlib import Path

import pytest

from tests.browser import Tab, needs_a_browser

from .filmed import RATE, filmed, footage
from .heard import heard

pytestmark = needs_a_browser


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
