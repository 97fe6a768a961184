import gc
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from deixis.base.video import OpenedVideo, open_video
from deixis.errors import InputError
from deixis.testing import Response, serving
from deixis.testing.media import boxes, film, tone

pytestmark = pytest.mark.extra("av")
FRAMES = boxes(40)


def opened(video: object, max_seconds: float = 10, max_bytes: int = 10_000_000) -> OpenedVideo:
    return open_video(
        video, max_seconds=max_seconds, max_bytes=max_bytes, max_pixels=100_000, urls="any"
    )


def content(pixels: NDArray[np.uint8], frames: NDArray[np.uint8] = FRAMES) -> int:
    """Return the number of the frame that these pixels are nearest to."""
    return int(np.abs(frames.astype(int) - pixels).mean(axis=(1, 2, 3)).argmin())


@pytest.fixture(scope="module")
def movie() -> bytes:
    return film(FRAMES, sound=tone(1.6), g="12")


def test_a_video_says_what_it_is(movie: bytes) -> None:
    video = opened(movie)
    assert (video.width, video.height, video.frames, video.rate) == (96, 64, 40, 25)
    assert (video.seconds, video.sound, video.source, video.notes) == (1.6, True, "bytes", [])
    assert video.sha256 == hashlib.sha256(movie).hexdigest()


@pytest.mark.parametrize(
    ("form", "codec"),
    [
        ("mp4", "libx264"),
        ("matroska", "libx264"),
        ("webm", "libvpx-vp9"),
        ("avi", "libx264"),
        ("mpegts", "libx264"),
        ("flv", "libx264"),
    ],
)
def test_frames_of_every_format_are_those_asked_for(form: str, codec: str) -> None:
    video = opened(film(FRAMES, form=form, codec=codec, g="12"))
    frames = list(video.read())
    assert [frame.index for frame in frames] == list(range(40))
    assert [content(frame.pixels) for frame in frames] == list(range(40))
    assert [frame.time for frame in frames] == pytest.approx(np.arange(40) / 25, abs=0.001)
    found = video.at([1.4, 0.1, 0.9, 0.9, 99])
    assert [content(frame.pixels) for frame in found] == [frame.index for frame in found]
    assert [frame.time for frame in found] == pytest.approx([1.4, 0.1, 0.9, 0.9, 1.56], abs=0.021)


def test_a_part_is_read_at_a_rate(movie: bytes) -> None:
    video = opened(movie)
    assert [frame.index for frame in video.read(0.5, 0.7)] == [12, 13, 14, 15, 16, 17]
    assert [frame.index for frame in video.read(0.4, 1.2, rate=5)] == [10, 15, 20, 25]
    assert [frame.index for frame in video.read(rate=2)] == [0, 12, 25, 37]
    assert len(list(video.read(rate=1000))) == 40
    assert list(video.read(5)) != []  # the last frame is shown on
    assert list(video.read(1, 1)) == list(video.read(5, 4)) == []


def test_times_of_a_variable_frame_rate_are_its_own() -> None:
    times = [0, 0.1, 0.2, 0.3, 2.0, 2.1, 5.0, 5.04]
    video = opened(film(FRAMES[:8], times=times))
    assert [frame.time for frame in video.read()] == times
    assert [frame.index for frame in video.at([0.24, 1.0, 1.3, 4])] == [2, 3, 4, 6]
    assert [frame.index for frame in video.each([4, 1.0, 0.24, 1.1])] == [2, 3, 6]
    # From one second to the next the same frame may be shown: it comes once.
    assert [frame.index for frame in video.read(rate=1)] == [0, 3, 4, 5, 6]


@pytest.mark.parametrize("count", [1, 2, 8])
def test_the_last_frame_is_shown_as_long_as_the_others(count: int) -> None:
    times = [0.2 * index for index in range(count)]
    data = film(FRAMES[:count], times=times, form="matroska")
    silent = data.replace(b"\x23\xe3\x83", b"\x23\xe3\x84")  # no longer says how long they are
    assert silent != data
    video = opened(silent)
    assert video.seconds == pytest.approx(times[-1] + (0.2 if count > 1 else 0.04))
    assert video.rate == count / video.seconds


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_frames_are_upright(turned: int, mirrored: bool) -> None:
    video = opened(film(FRAMES[:2], turned=turned, mirrored=mirrored))
    expected = np.rot90(FRAMES[0], turned // 90)
    expected = expected[:, ::-1] if mirrored else expected
    frame = video.at([0])[0]
    assert frame.pixels.shape == expected.shape == (video.height, video.width, 3)
    assert frame.pixels.flags.c_contiguous
    assert np.abs(frame.pixels.astype(int) - expected).mean() < 5


def test_its_own_sound_keeps_the_time_of_the_frames(movie: bytes) -> None:
    sound = opened(movie).sound_samples(10)
    assert sound is not None
    assert sound.seconds == pytest.approx(1.6, abs=0.05)
    assert np.abs(sound.samples[8_000:16_000]).max() == pytest.approx(0.5, abs=0.05)
    assert opened(film(FRAMES[:4])).sound_samples(10) is None


def test_frames_in_an_array_come_with_their_rate() -> None:
    video = opened((FRAMES, 12.5))
    assert (video.seconds, video.frames, video.rate, video.sound) == (3.2, 40, 12.5, False)
    assert (video.source, video.sound_samples(10)) == ("array", None)
    frame = video.at([1.0])[0]
    assert (frame.index, frame.time) == (12, 0.96)
    frame.pixels[:] = 0  # whoever draws on it draws on a copy
    assert np.array_equal(video.at([1.0])[0].pixels, FRAMES[12])
    assert video.sha256 == opened((FRAMES.copy(), 12.5)).sha256 != opened((FRAMES, 25)).sha256


def test_paths_and_urls_are_opened_alike(movie: bytes, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(movie)
    with serving(lambda request: Response(200, movie)) as server:
        videos = [opened(path), opened(f"{server.url}/film.mp4?token=secret")]
    path.unlink()  # what is open stays readable
    assert [content(video.at([1])[0].pixels) for video in videos] == [25, 25]
    assert videos[0].source == str(path)
    assert "secret" not in videos[1].source


def test_several_threads_read_at_once(movie: bytes, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(movie)
    video = opened(path)
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: [content(f.pixels) for f in video.read()], range(4)))
    assert runs == [list(range(40))] * 4


def test_frames_that_were_read_are_let_go(movie: bytes) -> None:
    import av

    video = opened(movie)
    gc.collect()
    gc.disable()
    try:
        assert sum(1 for _ in video.read()) == 40
        # By type: some objects, as torch has them, warn when they are asked what they are.
        kept = [thing for thing in gc.get_objects() if type(thing) is av.VideoFrame]
    finally:
        gc.enable()
    assert len(kept) < 4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((FRAMES[..., 0], 25), "got uint8 of shape (40, 64, 96)"),
        ((FRAMES[:0], 25), "got uint8 of shape (0, 64, 96, 3)"),
        ((FRAMES, 0), "its rate is the number of frames a second; got 0"),
        ((FRAMES, 2), "over 10 seconds of video"),
        ((FRAMES[:, :4], 25), "both sides need at least 8 pixels"),
        ((np.zeros((1, 400, 400, 3), np.uint8), 25), "400 x 400 are over 100,000 pixels"),
        (([FRAMES], 25), "a pair (frames, rate) with a NumPy array"),
        (b"", "empty, 0 bytes"),
        (None, "got NoneType"),
    ],
)
def test_what_is_no_video_within_the_limits_is_refused(given: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        opened(given)
    assert words in str(caught.value)
