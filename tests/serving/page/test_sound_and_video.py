"""Sound and video on the page: what is clicked is played, and boxes follow what is shown."""

import base64
import json
from pathlib import Path

import pytest

from deixis.base.sound import wav_bytes
from tests.browser import CTRL, Tab, needs_a_browser
from tests.show.filmed import RATE, filmed, footage
from tests.show.heard import heard, tones

from .looks import faint, nameless, too_wide
from .made import mount, shown

pytestmark = needs_a_browser


def blob(tab: Tab, data: bytes, kind: str) -> str:
    """Give the page a file; returns its URL there."""
    letters = json.dumps(base64.b64encode(data).decode())
    tab.run(f"window.given = Uint8Array.from(atob({letters}), (each) => each.charCodeAt(0)), 1")
    return str(tab.run(f"URL.createObjectURL(new Blob([given], {{ type: '{kind}' }}))"))


@pytest.fixture
def sound(page: Tab, tmp_path: Path) -> Tab:
    page.size(1280, 1000)
    extraction = heard(tmp_path / "a.wav")
    mount(page, extraction, audio=blob(page, wav_bytes(tones(9.0)), "audio/wav"))
    assert page.wait("document.querySelector('audio').duration") == 9.0
    return page


def test_what_is_clicked_is_played_to_its_end(sound: Tab) -> None:
    sound.run("audio = document.querySelector('audio'), ended = 0")
    sound.run("audio.addEventListener('pause', () => { ended = audio.currentTime }), 1")
    sound.run("document.querySelector('[data-key=\"bar:e2:1.5\"]').click()")
    lit = "[...document.querySelectorAll('.bar.now')].map((bar) => bar.dataset.from).join()"
    assert sound.wait(lit) == "1.5"
    assert 3.4 <= sound.wait("ended") < 3.9
    assert sound.run(lit) == ""
    sound.run("ended = 0, document.querySelector('[data-key=\"span:e1:0\"]').click()")
    assert 0.9 <= sound.wait("ended") < 1.4
    sound.run("document.querySelector('.word').focus()")
    sound.press("ArrowRight")
    assert sound.run("document.activeElement.textContent") == "<b>Lee</b>"


def test_spans_are_removed_and_brought_back(sound: Tab) -> None:
    before = shown(sound)
    sound.run("sheet.focus('gone:spans:e4:0')")
    sound.press("Enter")
    assert len(shown(sound).entities[3].spans) == 1
    sound.run("sheet.focus('gone:spans:e4:0')")
    sound.press("Enter")
    without = shown(sound).entities[3]
    assert (without.spans, without.groundable) == ([], None)
    for _ in range(2):
        sound.press("z", CTRL)
    assert shown(sound) == before
    sound.run("document.querySelector('[data-key=\"seen:e1:no\"]').click()")
    assert (shown(sound).entities[0].groundable, shown(sound).entities[0].spans) == (False, [])


def test_sound_can_be_read_and_fits(sound: Tab) -> None:
    assert faint(sound) == []
    assert nameless(sound) == []
    sound.size(360, 740, mobile=True)
    assert sound.run("document.documentElement.scrollWidth") <= 360
    assert too_wide(sound, 360) == []


def test_boxes_follow_the_video(page: Tab) -> None:
    pytest.importorskip("av")
    page.size(1280, 1000)
    extraction = filmed()
    clip = extraction.clip((footage(), RATE))
    mount(page, extraction, video=blob(page, clip.data, "video/webm"))
    page.wait("document.querySelector('video').readyState >= 2")
    frames = extraction.entities[0].track
    code = "[...document.querySelectorAll('.film .box')].map((box) => box.dataset.entity)"
    for frame in (frames[0], frames[-1]):
        page.run(f"document.querySelector('video').currentTime = {frame.time}")
        page.wait(f"Math.abs(document.querySelector('video').currentTime - {frame.time}) < 0.01")
        page.wait(f"{code}.includes('{extraction.entities[0].id}')")
    before = shown(page)
    page.run(f"sheet.focus('gone:track:{extraction.entities[0].id}:0')")
    page.press("Enter")
    assert shown(page).entities[0].track == []
    page.wait(f"!{code}.includes('{extraction.entities[0].id}')")
    page.press("z", CTRL)
    assert shown(page) == before
    assert page.complaints == []
