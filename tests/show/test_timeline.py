"""A sound on a page: what is heard when, and a sound that a browser can play."""

import base64
import hashlib
import io
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from deixis.base.sound import RATE, open_sound
from deixis.errors import InputError
from deixis.schema import AudioInfo, Extraction, Span, SpokenWord, Transcript
from deixis.show import timeline as timelines
from deixis.show import views
from deixis.show.media import Media
from deixis.show.timeline import Timeline, timeline

from .heard import WORDS, heard, tones
from .pages import Page


@pytest.fixture
def spoken(tmp_path: Path) -> Extraction:
    return heard(tmp_path / "talk <i>.wav")


def shown(extraction: Extraction, media: Media | None = None) -> Timeline:
    line = timeline(extraction, media or Media())
    assert line is not None
    return line


def test_the_page_plays_what_was_heard(spoken: Extraction) -> None:
    html = spoken.to_html()
    seen = Page(html)
    (audio,) = seen.all("audio")
    head, data = str(audio["src"]).split(",")
    assert head == "data:audio/wav;base64"
    again = open_sound(base64.b64decode(data), max_seconds=99, max_bytes=10_000_000)
    assert np.abs(again.samples - tones(9.0)).max() < 1e-3
    parts = [each for each in seen.all("button") if each["data-of"] == audio["id"] == "sound1"]
    times = [(str(each["class"]).split()[0], each["data-from"], each["data-to"]) for each in parts]
    assert [each[1:] for each in times if each[0] == "word"][7:9] == [
        ("3.5", "3.9"),
        ("4.0", "4.4"),
    ]
    assert [each[1:] for each in times if each[0] == "bar"] == [
        *(("0.0", "0.9"), ("1.5", "3.4"), ("3.0", "3.4"), ("4.0", "4.4"), ("8.0", "8.5")),
        ("3.5", "3.9"),
    ]
    assert [each[1:] for each in times if each[0] == "line"] == [("0.0", "5.4"), ("5.5", "7.9")]
    assert [each[1:] for each in times if each[0] == "play"][-1] == ("3.5", "3.9"), "the trigger"
    assert seen.marks == ["Ann <b>Lee</b>1", "the space agency", "NASA23", "Bob4"]


def test_the_page_runs_its_own_script_alone(spoken: Extraction) -> None:
    html = spoken.to_html()
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = (m["content"] for m in Page(html).all("meta") if "http-equiv" in m)
    assert policy == (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; media-src data:; "
        f"script-src 'sha256-{digest}'"
    )
    assert "Ann" not in script and "innerHTML" not in script
    for given in ("<b>Lee", "<i>", "<tiny.en>"):
        assert given not in html
    for name, attributes in Page(html).tags:
        assert not any(key.startswith("on") for key in attributes), name


def test_the_page_can_be_used_without_a_mouse(spoken: Extraction) -> None:
    seen = Page(spoken.to_html())
    for each in seen.all("button"):
        assert each.get("aria-label") or each["class"] == "word"
        assert (each.get("tabindex") == "-1") == (each["class"] == "word")
    assert all(
        each.get("tabindex") == "0" for each in seen.all("div") if each.get("role") == "region"
    )


def test_words_are_cut_into_lines_and_runs(spoken: Extraction) -> None:
    lines = shown(spoken).lines
    words = [[word.text for run in line for word in run.words] for line in lines]
    assert words == [WORDS[:11], WORDS[11:]]
    assert [(run.entity, len(run.words), run.ended) for run in lines[0]] == [
        *((0, 2, [0]), (None, 1, []), (1, 3, []), (2, 1, [1, 2])),
        *((None, 1, []), (3, 1, [3]), (None, 2, [])),
    ]
    assert spoken.transcript is not None
    late = [
        word.model_copy(update={"start": word.start + 9, "end": word.end + 9})
        for word in spoken.transcript.words
    ]
    twice = spoken.transcript.model_copy(update={"words": [*spoken.transcript.words, *late]})
    assert len(shown(spoken.model_copy(update={"transcript": twice})).lines) == 4


def test_bars_and_ticks_are_percent_of_the_sound(spoken: Extraction) -> None:
    line = shown(spoken)
    assert [(lane.entity, lane.name) for lane in line.lanes] == [
        *((0, "Ann <b>Lee</b>"), (1, "the space agency NASA"), (2, "NASA"), (3, "Bob")),
        (None, "Meet: met"),
    ]
    (bar,) = line.lanes[1].bars
    assert (bar.left, bar.wide) == (pytest.approx(100 * 1.5 / 9), pytest.approx(100 * 1.9 / 9))
    assert line.ticks[:2] == [(0.0, "0:00"), (pytest.approx(100 / 9), "0:01")]
    assert line.seconds == 9.0


@pytest.mark.extra
def test_a_long_sound_is_made_smaller_and_a_very_long_one_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("av")
    long = heard(tmp_path / "long.wav", seconds=70.0)
    line = shown(long)
    head, data = str(line.uri).split(",")
    assert head == "data:audio/mpeg;base64" and len(data) < 400_000
    again = open_sound(base64.b64decode(data), max_seconds=99, max_bytes=10_000_000)
    assert again.seconds == pytest.approx(70, abs=0.2)
    assert (
        np.corrcoef(np.abs(again.samples[: 69 * RATE]), np.abs(tones(70.0)[: 69 * RATE]))[0, 1]
        > 0.5
    )
    monkeypatch.setattr(timelines, "MOST_SECONDS", 65.0)
    html = long.to_html()
    assert "The sound is not in this page: it is longer than 600 seconds." in html
    assert long.audio is not None
    untrue = long.model_copy(update={"audio": long.audio.model_copy(update={"seconds": 9.0})})
    assert shown(untrue).uri is None, "whatever the record says"
    seen = Page(html)
    assert not seen.all("audio") and not seen.all("button") and not seen.all("script")
    assert len([each for each in seen.all("span") if "bar" in str(each.get("class"))]) == 6
    assert "<mark" in html


def test_without_pyav_a_minute_is_still_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    assert shown(heard(tmp_path / "a.wav", seconds=60.0)).uri
    line = shown(heard(tmp_path / "b.wav", seconds=61.0))
    assert line.uri is None and line.wave
    assert re.match(r"it is longer than 60 seconds; .*pip install .deixis\[media\]", line.problem)


def test_a_sound_that_is_gone_or_another_is_told(spoken: Extraction) -> None:
    assert spoken.audio is not None
    path = Path(spoken.audio.source)
    data = path.read_bytes()
    path.write_bytes(data[:-2] + b"\1\1")
    assert "not the one that the extraction has heard" in shown(spoken).problem
    with pytest.raises(InputError, match="not the one that the extraction has heard; pass"):
        spoken.to_html(audio=path)
    assert (
        shown(spoken, Media(audio=data)).uri and shown(spoken, Media(audio=(tones(9.0), RATE))).uri
    )
    path.unlink()
    html = spoken.to_html()
    assert "talk &lt;i&gt;.wav&#39;: no such file" in html and not Page(html).all("audio")
    unnamed = AudioInfo(**(spoken.audio.model_dump() | {"source": "bytes"}))
    html = spoken.model_copy(update={"audio": unnamed}).to_html()
    assert "not in this page: the sound came as bytes; pass it again as `audio`." in html
    with pytest.raises(InputError, match=r"no such file"):
        spoken.to_html(audio=path)
    with pytest.raises(InputError, match="a sound was given, but the extraction heard none"):
        Extraction(text="", image=None, entities=[]).to_html(audio=data)


def test_what_is_too_much_is_counted(spoken: Extraction, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [SpokenWord(text=f"w{i}", start=i, end=i + 1, score=1) for i in range(30)]
    many = spoken.model_copy(update={"transcript": Transcript(words=words, source="x")})
    monkeypatch.setattr(timelines, "MOST_WORDS", 20)
    monkeypatch.setattr(timelines, "MOST_LANES", 2)
    line = shown(many)
    assert line.beyond == "3 more names and 10 more words"
    assert [sum(len(run.words) for run in runs) for runs in line.lines] == [16, 4]
    assert "And 3 more names and 10 more words." in views.page([many], [None])


def test_a_name_that_is_heard_without_end_does_not_swell_the_page(spoken: Extraction) -> None:
    spans = [Span(start=i / 10, end=i / 10 + 0.05, score=1, source="x") for i in range(5_000)]
    said = spoken.entities[0].model_copy(update={"spans": spans})
    endless = spoken.model_copy(update={"entities": [said]})
    line = shown(endless)
    assert len(line.lanes[0].bars) == timelines.MOST_BARS
    assert line.beyond == "4,800 more places of names"
    assert '<div class="faint">and 4,950 more</div>' in (html := views.page([endless], [None]))
    assert len(html) < len(views.page([spoken], [None])) + 100_000


def test_silence_and_an_extraction_without_sound(tmp_path: Path) -> None:
    from deixis.base.sound import wav_bytes

    data = wav_bytes(np.zeros(100, np.float32))
    info = AudioInfo(
        sha256=hashlib.sha256(data).hexdigest(),
        seconds=100 / RATE,
        rate=RATE,
        channels=1,
        source="bytes",
    )
    silent = Extraction(text="", image=None, audio=info, entities=[])
    line = shown(silent, Media(audio=data))
    assert line.uri and line.wave and not line.lines and not line.lanes
    assert "No entity was found." in silent.to_html(audio=io.BytesIO(data).getvalue())
    assert timeline(Extraction(text="", image=None, entities=[]), Media()) is None


def test_a_record_may_claim_any_length() -> None:
    info = AudioInfo(sha256="", seconds=1e308, rate=RATE, channels=1, source="bytes")
    boasting = Extraction(text="", image=None, audio=info, entities=[])
    assert len(shown(boasting).ticks) <= 11
    assert "it is longer than 600 seconds" in boasting.to_html()
