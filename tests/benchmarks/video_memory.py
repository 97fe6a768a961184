"""Measure what opening and reading a video takes: seconds, and memory at its highest.

Run with ``python tests/benchmarks/video_memory.py [SECONDS [HEIGHT]]``; prints Markdown. The
video is made first, in a process of its own: 16 to 9, 25 frames a second, with sound, moving
noise that no encoder makes small. Wanted: at most 1.5 GB for 10 minutes of 720p.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

RATE = 25
PART = 10  # seconds, with one key frame
LIMITS = {"max_seconds": 36_000, "max_bytes": 1 << 34, "max_pixels": 1 << 26}


def write(path: Path, seconds: int, height: int) -> None:
    """Write a few seconds, and then the same ones over and over, without encoding them anew."""
    import av

    part = path.with_name("part.mp4")
    encode(part, height)
    with av.open(path, "w") as file:
        with av.open(part) as source:
            streams: list[Any] = [file.add_stream_from_template(s) for s in source.streams]
        for start in np.arange(0, seconds, PART + 0.1):  # sound is a little longer than frames
            with av.open(part) as source:
                for packet in source.demux():
                    if packet.dts is None or packet.pts is None:
                        continue
                    ticks = round(start / float(packet.time_base))
                    packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
                    packet.stream = streams[packet.stream_index]
                    file.mux(packet)


def encode(path: Path, height: int) -> None:
    import av

    random = np.random.default_rng(0)
    ground = random.integers(0, 256, (height // 8, height * 16 // 9 // 8, 3), np.uint8)
    ground = ground.repeat(8, axis=0).repeat(8, axis=1)
    with av.open(path, "w") as file:
        stream: Any = file.add_stream(
            "libx264", RATE, {"preset": "veryfast", "g": str(PART * RATE)}
        )
        stream.height, stream.width = ground.shape[:2]
        stream.pix_fmt = "yuv420p"
        heard: Any = file.add_stream("aac", 48_000, layout="stereo")
        for index in range(PART * RATE):
            picture = np.roll(ground, index * 4, axis=1)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
            if index % RATE == 0:
                wave = np.sin(np.arange(48_000) / 20).astype(np.float32)
                part = av.AudioFrame.from_ndarray(np.stack([wave, wave]), "fltp", "stereo")
                part.sample_rate, part.time_base = 48_000, Fraction(1, 48_000)
                part.pts = index // RATE * 48_000
                file.mux(heard.encode(part))
        file.mux(stream.encode(None))
        file.mux(heard.encode(None))


def measure(path: Path, what: str) -> None:
    """Print one line for one use of the video, in a fresh process."""
    from deixis.base.clips import clip_bytes
    from deixis.base.sound import open_sound
    from deixis.base.video import open_video

    start = time.perf_counter()
    if what == "open_sound":
        sound = open_sound(path, max_seconds=36_000, max_bytes=1 << 34)
        result = f"{len(sound.samples):,} samples"
    else:
        video = open_video(path, **LIMITS)
        uses: dict[str, Callable[[], str]] = {
            "open_video": lambda: f"{video.frames:,} frames",
            "at, 8 times": lambda: f"{len(video.at(np.linspace(0, video.seconds, 8)))} frames",
            "read, 1 a second": lambda: f"{sum(1 for _ in video.read(rate=1)):,} frames",
            "read, 5 a second": lambda: f"{sum(1 for _ in video.read(rate=5)):,} frames",
            "read, all": lambda: f"{sum(1 for _ in video.read()):,} frames",
            "clip of 30 s": lambda: (
                f"{len(clip_bytes(video, 60, rate=2, longest_side=448, most_seconds=30)):,} bytes"
            ),
        }
        result = uses[what]()
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"| {what} | {result} | {seconds:.1f} | {memory:,.0f} |", flush=True)


def main() -> None:
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]), sys.argv[3])
        return
    seconds, height = map(int, (sys.argv[1:] + ["600", "720"][len(sys.argv) - 1 :])[:2])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        write(path, seconds, height)
        print(f"{seconds} s of {height}p, {path.stat().st_size / 1e6:,.0f} MB\n")
        print("| use | result | seconds | most memory, MB |\n|-|-|-|-|", flush=True)
        for what in (
            *("open_video", "at, 8 times", "read, 1 a second", "read, 5 a second", "read, all"),
            *("open_sound", "clip of 30 s"),
        ):
            subprocess.run([sys.executable, __file__, "--measure", path, what], check=True)


if __name__ == "__main__":
    main()
