"""Files that are no media, lie, are broken, or would have others opened."""

import io
import os
import struct
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.base.sound import RATE, OpenedSound, open_sound
from deixis.base.video import OpenedVideo, open_video
from deixis.errors import InputError, MissingExtraError
from deixis.testing import Response, serving
from deixis.testing.media import boxes, film, heard, tone, wav

pytestmark = pytest.mark.extra("av")
FRAMES = boxes(100)


def hear(audio: object, max_seconds: float = 60, max_bytes: int = 10_000_000) -> OpenedSound:
    return open_sound(audio, max_seconds=max_seconds, max_bytes=max_bytes, urls="any")


def see(video: object, max_seconds: float = 60, max_bytes: int = 10_000_000) -> OpenedVideo:
    return open_video(
        video, max_seconds=max_seconds, max_bytes=max_bytes, max_pixels=100_000, urls="any"
    )


def picture(form: str) -> bytes:
    data = io.BytesIO()
    Image.fromarray(FRAMES[0]).save(data, form)
    return data.getvalue()


def broken(data: bytes, bytes_hit: int, first: int = 300) -> bytes:
    """Return a file with wrong bytes here and there, but for its two ends."""
    random = np.random.default_rng(0)
    array = np.frombuffer(data, np.uint8).copy()
    array[random.integers(first, len(data) - 2_500, bytes_hit)] = random.integers(0, 256, bytes_hit)
    return array.tobytes()


@pytest.fixture(scope="module")
def mkv() -> bytes:
    return film(FRAMES, sound=tone(4), form="matroska", g="12")


@pytest.fixture(scope="module")
def mp3() -> bytes:
    return heard(tone(4), "mp3", "libmp3lame")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF"])
def test_a_picture_is_neither_sound_nor_video(form: str) -> None:
    with pytest.raises(InputError, match="the bytes: a picture, not video; give it as an image"):
        see(picture(form))
    with pytest.raises(InputError, match="the bytes: a picture, not sound; give it as an image"):
        hear(picture(form))


def test_sound_alone_is_no_video_and_a_silent_video_no_sound(mp3: bytes) -> None:
    for sound in (mp3, wav(1), heard(tone(1), "mp4", "aac")):
        with pytest.raises(InputError, match="holds no moving picture"):
            see(sound)
    with pytest.raises(InputError, match="holds no sound that can be decoded"):
        hear(film(FRAMES[:5]))


def test_the_cover_of_a_record_is_no_video() -> None:
    import av

    data = io.BytesIO()
    with av.open(data, "w", format="mp3") as file:
        spoken: Any = file.add_stream("libmp3lame", rate=RATE, layout="mono")
        cover: Any = file.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = 96, 64, "rgb24"
        file.mux(cover.encode(av.VideoFrame.from_ndarray(FRAMES[0])))
        file.mux(cover.encode(None))
        part = av.AudioFrame.from_ndarray(tone(1)[None], format="fltp", layout="mono")
        part.sample_rate, part.pts = RATE, 0
        file.mux(spoken.encode(part))
        file.mux(spoken.encode(None))
    with pytest.raises(InputError, match="holds no moving picture"):
        see(data.getvalue())
    assert hear(data.getvalue()).seconds == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("name", ["list.m3u8", "list.mp4", "list.ts"])
def test_playlists_open_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / "part.ts").write_bytes(film(FRAMES[:20], form="mpegts"))
    with serving(lambda request: Response(200, film(FRAMES[:20], form="mpegts"))) as server:
        for part in ("part.ts", str(tmp_path / "part.ts"), f"{server.url}/part.ts"):
            for text in (
                f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:1,\n{part}\n#EXT-X-ENDLIST\n",
                f"ffconcat version 1.0\nfile '{part}'\n",
                f"[playlist]\nFile1={part}\n",
                f"<?xml version='1.0'?>\n<MPD><BaseURL>{part}</BaseURL></MPD>",
                "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
            ):
                (tmp_path / name).write_text(text)
                with pytest.raises(InputError, match="a playlist, which names other files"):
                    see(tmp_path / name)
                with pytest.raises(InputError, match="a playlist, which names other files"):
                    hear(text.encode())
    assert server.requests == []


@pytest.mark.parametrize(
    "source",
    [
        *("concat:a.ts|b.ts", "pipe:0", "subfile,,start,0,end,9,,:a.ts", "rtsp://127.0.0.1/a"),
        *("file:///etc/hostname", "data:audio/wav;base64,AAAA", "a\0b", ""),
    ],
)
def test_what_ffmpeg_knows_as_an_address_is_none_here(source: str) -> None:
    for open_it in (see, hear):
        with pytest.raises(InputError, match=r"no such file|URLs are not opened|null byte"):
            open_it(source)


def test_folders_pipes_and_devices_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        (tmp_path, "is a folder; give the path of one"),
        (tmp_path / "pipe", "is not a regular file"),
        (Path("/dev/zero"), "is not a regular file"),
        (tmp_path / "none.mp4", "no such file; check the path"),
    ):
        for open_it in (see, hear):
            with pytest.raises(InputError, match=words):
                open_it(path)


def test_no_url_is_opened_unless_that_is_allowed() -> None:
    limits = {"max_seconds": 9, "max_bytes": 99}
    with pytest.raises(InputError, match="URLs are not opened"):
        open_sound("http://127.0.0.1/a.wav", urls="none", **limits)
    with pytest.raises(InputError, match=r"not on the public internet .* download the sound"):
        open_sound("http://127.0.0.1/a.wav", **limits)


def test_what_is_too_large_is_refused_while_it_comes(mkv: bytes) -> None:
    with serving(lambda request: Response(200, mkv)) as server:
        for source in (mkv, server.url):
            with pytest.raises(InputError, match="over 10,000 bytes; give a smaller file"):
                see(source, max_bytes=10_000)


@pytest.mark.parametrize("form", ["mp4", "matroska"])
def test_ten_hours_are_refused_by_their_header(form: str) -> None:
    with pytest.raises(InputError, match="over 60 seconds of video; give a shorter one"):
        see(film(FRAMES[:2], times=[0, 36_000], form=form))


def test_seconds_are_counted_where_the_header_lies_or_guesses(mkv: bytes, mp3: bytes) -> None:
    begin = mkv.index(b"\x44\x89\x88") + 3  # the duration of Matroska, in milliseconds
    lie = mkv[:begin] + struct.pack(">d", 500.0) + mkv[begin + 8 :]
    for open_it, kind in ((see, "video"), (hear, "sound")):
        with pytest.raises(InputError, match=f"over 2 seconds of {kind}"):
            open_it(lie, max_seconds=2)
    with pytest.raises(InputError, match="over 10 seconds of sound"):
        hear(mp3 * 10, max_seconds=10)


@pytest.mark.parametrize("form", ["mp4", "matroska", "mpegts"])
def test_large_frames_are_refused_whatever_the_header_says(form: str) -> None:
    data = bytearray(film(boxes(2, 800, 800), form=form))
    if form == "mp4":
        begin = data.index(b"avc1", data.index(b"stsd")) + 28  # where width and height are
        data[begin : begin + 4] = struct.pack(">HH", 96, 64)
    with pytest.raises(InputError, match=r"over 100,000 pixels|no frame of it could be decoded"):
        see(bytes(data))


def test_frames_keep_the_size_of_the_first() -> None:
    larger = film(boxes(10, 192, 128), times=[1 + i / 10 for i in range(10)], form="mpegts")
    video = see(film(FRAMES[:10], form="mpegts") + larger)
    assert {frame.pixels.shape for frame in video.read()} == {(64, 96, 3)}
    assert video.frames == 20


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_of_a_video_that_is_cut_short_the_beginning_is_used(mkv: bytes, share: float) -> None:
    video = see(mkv[: int(len(mkv) * share)])
    assert 0.2 < video.seconds / 4 < share + 0.1
    assert len(list(video.read())) == video.frames > 20
    assert any("the video is cut short" in note for note in video.notes)
    assert video.sound_samples(60) is not None


def test_of_sound_that_is_cut_short_the_beginning_is_used(mp3: bytes) -> None:
    sound = hear(mp3[: len(mp3) // 2])
    assert sound.seconds == pytest.approx(2, abs=0.1)
    assert sound.notes == [f"the sound is cut short: {sound.seconds:.1f} of 4.0 seconds"]


def test_tags_in_old_encodings_do_no_harm() -> None:
    data = film(FRAMES[:5], form="matroska").replace(b"Lavf", b"\xff\xfe\x80\xe9")
    assert see(data).frames == 5


def test_what_is_broken_inside_is_left_out_and_told(
    mkv: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    video = see(broken(mkv, 200))
    frames = list(video.read())
    assert [frame.index for frame in frames] == list(range(video.frames))
    assert video.notes == [
        "parts of the video are broken and left out (Invalid data found when processing input)"
    ]
    sound = video.sound_samples(60)
    assert sound is not None
    assert "parts of the sound are broken and left out" in sound.notes[0]
    assert capfd.readouterr() == ("", "")  # FFmpeg keeps its complaints


@pytest.mark.parametrize(
    "data",
    [
        film(FRAMES[:20])[:1500],
        np.random.default_rng(0).bytes(50_000),
        bytes(50_000),
        b"hello world\n" * 100,
        b"RIFF\0\0\0\0WAVE",
        heard(tone(4, rate=48_000), "ogg", "libopus", 48_000)[:200],
    ],
    ids=["mp4", "noise", "zeros", "text", "wav", "ogg"],
)
def test_what_nothing_can_be_read_from_is_refused(
    data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    for open_it in (see, hear):
        with pytest.raises(InputError, match=r"give an? \w+"):
            open_it(data)
    assert capfd.readouterr() == ("", "")


def test_a_gap_in_the_sound_is_silence_and_a_late_start_too() -> None:
    import av

    data = io.BytesIO()
    with av.open(data, "w", format="matroska") as file:
        stream: Any = file.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for start in (0, 3):
            part = av.AudioFrame.from_ndarray(tone(1)[None], format="flt", layout="mono")
            part.sample_rate, part.pts, part.time_base = RATE, start * RATE, Fraction(1, RATE)
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    sound = hear(data.getvalue())
    assert sound.seconds == 4
    loud = np.abs(sound.samples).reshape(4, -1).max(axis=1)
    assert loud == pytest.approx([0.5, 0, 0, 0.5], abs=0.01)
    late = see(film(FRAMES, sound=tone(3), sound_start=1.0)).sound_samples(60)
    assert late is not None
    assert int(np.argmax(np.abs(late.samples) > 0.1)) == pytest.approx(RATE, abs=100)


def test_without_pyav_only_a_wav_opens(monkeypatch: pytest.MonkeyPatch, mp3: bytes) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    assert hear(wav(1)).seconds == 1
    for open_it, data in ((hear, mp3), (see, mp3)):
        with pytest.raises(MissingExtraError, match=r'pip install "deixis\[media\]"'):
            open_it(data)
