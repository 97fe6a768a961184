"""A video on a page and in files: boxes are drawn where tracks are."""

import base64
import io
import re
import sys

import numpy as np
import pytest
from PIL import Image

from deixis.base.video import open_video
from deixis.errors import InputError, MissingExtraError
from deixis.schema import Extraction, Frame, VideoInfo
from deixis.show import film as films
from deixis.show.film import box_at, film, key_times
from deixis.show.media import Media
from deixis.show.panels import colour

from .filmed import RATE, box, filmed, footage
from .pages import Page


def near(picture: np.ndarray, tint: tuple[int, int, int]) -> np.ndarray:
    """Where a picture that was encoded has about this colour."""
    away: np.ndarray = np.abs(picture.astype(int) - tint).sum(axis=2) < 70
    return away


def rim(picture: np.ndarray, number: int) -> tuple[float, ...]:
    """Return the outline of what has the colour of an entity below its label, as shares."""
    rows, columns = np.nonzero(near(picture, colour(number)))
    return (
        columns.min() / picture.shape[1],
        columns.max() / picture.shape[1],
        rows.max() / picture.shape[0],
    )


@pytest.mark.extra
def test_the_clip_has_the_boxes_where_they_are() -> None:
    pytest.importorskip("av")
    made = filmed().clip((footage(), RATE))
    assert (made.kind, made.start, made.end) == ("webm", 0.0, 4.0)
    assert len(made.data) < 260_000
    again = open_video(made.data, max_seconds=99, max_bytes=10**7, max_pixels=10**7)
    assert (again.width, again.height) == (640, 360)
    assert again.frames == 32 and not again.sound
    for time in (0.5, 1.0, 1.625, 3.0):
        (frame,) = again.at([time])
        x1, _, x2, y2 = box(0, round(frame.time * RATE * 100) / 100)  # type: ignore[arg-type]
        found = rim(frame.pixels, 0)
        assert found == pytest.approx((x1 / 320, x2 / 320, y2 / 180), abs=0.03), time
        assert near(frame.pixels, colour(2)).any() == (time < 1.9), "followed to the half"
    assert made == filmed().clip((footage(), RATE)), "the same bytes each time"
    entities = [each.model_copy(update={"track": each.track[::-1]}) for each in filmed().entities]
    turned = filmed().model_copy(update={"entities": entities})
    assert made == turned.clip((footage(), RATE)), "in whatever order the frames are"


def test_a_box_moves_evenly_between_near_frames_alone() -> None:
    track = filmed().entities[0].track
    assert box_at(track, 0.2) == pytest.approx(box(0, 2))
    assert box_at(track, 0.25) == pytest.approx(box(0, 2.5))  # type: ignore[arg-type]
    assert box_at(track, 3.9) is None and box_at([], 1.0) is None
    far = [track[0], track[6]]
    assert box_at(far, 0.6) is None, "over a second apart"
    assert box_at([track[0], track[5]], 0.5) == pytest.approx(box(0, 5))


def test_the_strip_shows_frames_boxes_times_and_names() -> None:
    shown = np.asarray(filmed().film_strip((footage(), RATE)))
    assert shown.shape[:2] == (669, 1960)
    cells = [
        shown[8 + row * 298 :, 8 + column * 488 :][:270, :480]
        for row in (0, 1)
        for column in range(4)
    ]
    times = key_times(filmed())
    assert times == pytest.approx([0.0, 0.6, 1.0, 1.6, 2.2, 2.8, 3.2, 3.8])
    for cell, time in zip(cells, times, strict=True):
        x1, _, x2, y2 = box(0, round(time * RATE))
        assert rim(cell, 0) == pytest.approx((x1 / 320, x2 / 320, y2 / 180), abs=0.02)
        assert near(cell, colour(2)).any() == (time < 1.9)
        assert not near(cell, colour(1)).any(), "not in the video"
    for number in range(3):
        assert near(shown[604:], colour(number)).any(), "in the legend"
    assert (shown[280:304, 8:80] < 100).any(), "the time"


def test_key_times_have_every_entity_in_them() -> None:
    seen = filmed(200)
    frames = seen.entities[0].track
    short = [frame.model_copy(update={"time": 0.41}) for frame in frames[2:3]]
    late = seen.entities[2].model_copy(update={"track": short})
    both = seen.model_copy(update={"entities": [seen.entities[0], late]})
    assert 0.41 in key_times(both) and len(key_times(both)) == films.STILLS + 1
    none = seen.model_copy(update={"entities": []})
    assert key_times(none) == pytest.approx(np.arange(1.25, 20, 2.5).tolist())


@pytest.mark.extra
def test_a_long_video_is_cut_from_the_first_track_on(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("av")
    monkeypatch.setattr(films, "CLIP_SECONDS", 2.0)
    seen = filmed(60)
    track = [frame for frame in seen.entities[0].track if frame.time >= 3]
    later = seen.entities[0].model_copy(update={"track": track})
    seen = seen.model_copy(update={"entities": [later]})
    made = seen.clip((footage(60), RATE))
    assert (made.start, made.end) == (2.0, 4.0)
    again = open_video(made.data, max_seconds=99, max_bytes=10**7, max_pixels=10**7)
    assert again.frames == 16
    assert not near(again.at([0.5])[0].pixels, colour(0)).any()
    assert near(again.at([1.5])[0].pixels, colour(0)).any()
    html = seen.to_html(video=(footage(60), RATE))
    assert "From 0:02.00 to 0:04.00 of 0:06.00." in html
    buttons = Page(html).all("button")
    assert [each["data-from"] for each in buttons] == ["1.000", "1.400", "1.800"]


@pytest.mark.extra
def test_the_page_shows_the_video_and_its_frames() -> None:
    pytest.importorskip("av")
    html = filmed().to_html(video=(footage(), RATE))
    seen = Page(html)
    (video,) = seen.all("video")
    head, data = str(video["src"]).split(",")
    assert head == "data:video/webm;base64" and base64.b64decode(data)[:4] == b"\x1aE\xdf\xa3"
    images = seen.all("img")
    assert len(images) == 8
    assert images[0]["alt"] == "A frame with a box on: 1 the red <b>box, 3 the blue box."
    assert images[-1]["alt"] == "A frame with a box on: 1 the red <b>box."
    assert all(each["data-of"] == video["id"] == "film1" for each in seen.all("button"))
    assert "20 frames, 0:00.00 to 0:03.80" in html and "optical-flow" in html
    assert "<b>box" not in html and re.search(r"script-src 'sha256-.{44}'", html)
    assert "<h3>Sound" not in html


def test_without_pyav_the_clip_is_an_animated_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    made = filmed().clip((footage(), RATE))
    assert made.kind == "webp"
    picture = Image.open(io.BytesIO(made.data))
    assert (picture.size, picture.n_frames) == ((640, 360), 16)  # type: ignore[attr-defined]
    picture.seek(8)
    found = rim(np.asarray(picture.convert("RGB")), 0)
    assert found[0] == pytest.approx(box(0, 20)[0] / 320, abs=0.03)
    html = filmed().to_html(video=(footage(), RATE))
    seen = Page(html)
    assert not seen.all("video") and not seen.all("script") and not seen.all("button")
    assert str(seen.all("img")[0]["src"]).startswith("data:image/webp;base64,")
    assert "script-src" not in html


def test_a_video_that_is_gone_or_another_is_told() -> None:
    seen = filmed()
    html = seen.to_html()
    assert "The video is not in this page: the video came as array; pass it again as" in html
    assert not Page(html).all("video") and "20 frames" in html
    other = footage()
    other[3] = 0
    for made in (seen.clip, seen.film_strip):
        with pytest.raises(InputError, match="not the one that the extraction looked at; pass"):
            made((other, RATE))
        with pytest.raises(InputError, match="the video came as array; pass it again as `video`"):
            made()
    with pytest.raises(InputError, match="not the one that the extraction looked at; pass"):
        seen.to_html(video=(other, RATE))
    blind = Extraction(text="", image=None, entities=[])
    with pytest.raises(InputError, match="there is no video: the extraction looked at none"):
        blind.clip()
    with pytest.raises(InputError, match="a video was given, but the extraction looked at none"):
        blind.to_html(video=(other, RATE))


def test_frames_of_a_file_may_be_given_if_they_are_as_many() -> None:
    seen = filmed()
    assert isinstance(seen.video, VideoInfo)
    file = seen.video.model_copy(update={"source": "a.mp4", "sha256": "0" * 64})
    decoded = seen.model_copy(update={"video": file})
    assert film(decoded, Media(video=(footage(), RATE))) is not None
    with pytest.raises(InputError, match="not the one"):
        film(decoded, Media(video=(footage(39), RATE)))
    assert "no such file" in film(decoded, Media()).problem  # type: ignore[union-attr]


def test_a_missing_extra_is_told_on_the_page(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    seen = filmed()
    assert isinstance(seen.video, VideoInfo) and all(
        isinstance(frame, Frame) for frame in seen.entities[0].track
    )
    path = f"{tmp_path}/a.mp4"
    with open(path, "wb") as file:
        file.write(b"\0\0\0 ftypisom")
    there = seen.video.model_copy(update={"source": path})
    monkeypatch.setitem(sys.modules, "av", None)
    gone = seen.model_copy(update={"video": there})
    assert "pip install" in film(gone, Media()).problem  # type: ignore[union-attr]
    with pytest.raises(MissingExtraError):
        gone.clip()
