import numpy as np
import pytest

from deixis.base.clips import clip_bytes
from deixis.base.sound import RATE
from deixis.base.video import OpenedVideo, open_video
from deixis.errors import InputError
from deixis.testing.media import boxes, film, tone

pytestmark = pytest.mark.extra("av")
FRAMES = boxes(50, width=192, height=128)


def opened(video: object) -> OpenedVideo:
    return open_video(video, max_seconds=10, max_bytes=10_000_000, max_pixels=100_000)


@pytest.fixture(scope="module")
def movie() -> OpenedVideo:
    """Two seconds: silence in the first, a tone in the second."""
    sound = np.concatenate([np.zeros(RATE, np.float32), tone(1)])
    return opened(film(FRAMES, sound=sound, g="12"))


def test_a_part_comes_small_with_its_sound(movie: OpenedVideo) -> None:
    data = clip_bytes(movie, 0.8, 1.6, rate=10, longest_side=96, most_seconds=30)
    clip = opened(data)
    assert (clip.width, clip.height, clip.frames, clip.sound) == (96, 64, 8, True)
    assert clip.seconds == pytest.approx(0.8, abs=0.11)
    small = FRAMES[20:40:2, ::2, ::2].astype(int)
    nearest = [
        int(np.abs(small - frame.pixels).mean(axis=(1, 2, 3)).argmin()) for frame in clip.read()
    ]
    assert nearest == pytest.approx([0, 1, 2, 3, 5, 6, 7, 8], abs=1)
    sound = clip.sound_samples(10)
    assert sound is not None
    assert sound.seconds == pytest.approx(0.8, abs=0.1)
    assert np.abs(sound.samples[:2_000]).max() < 0.05
    assert np.abs(sound.samples[6_000:12_000]).max() == pytest.approx(0.5, abs=0.1)


def test_a_clip_stops_in_time_and_may_be_without_sound(movie: OpenedVideo) -> None:
    clip = opened(
        clip_bytes(movie, 0.5, rate=100, longest_side=10_000, most_seconds=0.4, sound=False)
    )
    assert (clip.width, clip.height, clip.frames, clip.sound) == (192, 128, 11, False)


def test_the_same_part_is_the_same_bytes(movie: OpenedVideo) -> None:
    clips = {clip_bytes(movie, rate=5, longest_side=64, most_seconds=2) for _ in range(3)}
    assert len(clips) == 1


def test_a_clip_of_an_array_has_even_sides() -> None:
    video = opened((FRAMES[:5, :33, :51], 25))
    clip = opened(clip_bytes(video, rate=25, longest_side=33, most_seconds=2))
    assert (clip.width, clip.height, clip.frames) == (32, 22, 5)


def test_a_part_without_a_frame_is_refused(movie: OpenedVideo) -> None:
    with pytest.raises(InputError, match="no frame from 1 seconds on"):
        clip_bytes(movie, 1, 1, rate=5, longest_side=64, most_seconds=2)
