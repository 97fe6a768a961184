"""When names are heard, against the times at which flite says them.

    python tests/benchmarks/hearing.py [TRANSCRIBER]

Sentences with names are said by flite 2.2 (Debian's package ``flite``), which prints when each
phone ends. A word has the phones that flite gives it when it says it alone; where it says them
otherwise in a sentence, both lists are aligned. The rule of `deixis.tools.hearing.edges` was fitted
to twenty sentences in four voices, which are ``fitted`` here; others are ``held out``, and so is
the voice ``kal``, the speaker of ``kal16`` by the telephone, 8,000 samples a second. Printed are
the mean intersection over union of names with their known times, by transcription (`placed` among
the words heard) and by alignment; how many words are written down wrong; and times real time. At
last the sentences of a voice are one sound, with pauses of 2 to 3 seconds.
"""

import re
import subprocess
import sys
import tempfile
import time
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from deixis.base.sound import open_sound
from deixis.tools import registry
from deixis.tools.base import Samples, TimedWord
from deixis.tools.hearing.words import placed, plain

SENTENCES = """[Grace Hopper] joined the [United States Navy] during the war.
[Barack Obama] met [Angela Merkel] in [Berlin] on Monday.
[Marie Curie] was born in [Warsaw] and worked in [Paris].
The [New York Times] wrote about [Serena Williams] and the final in [Melbourne].
[Apple] and [Microsoft] opened new offices in [London] last week.
Yesterday [Bill Gates] gave a talk at [Stanford University].
[Neil Armstrong] walked on the moon, and [Michael Collins] stayed in orbit.
The president of [France] arrived in [Washington] with his wife.
[Tim Cook] said that [Apple] will build a factory in [Texas].
[Eileen Collins] flew the space shuttle for [NASA].
In [Chicago] the police stopped [John Smith] near the river.
[Amazon] bought [Whole Foods] for a lot of money.
Fans of [Manchester United] waited for [David Beckham] at the airport.
[Nelson Mandela] became the president of [South Africa].
The river [Thames] runs through [Oxford] and [London].
[Taylor Swift] will sing in [Madrid] and in [Los Angeles] this summer.
[Amelia Earhart] crossed the [Atlantic Ocean] alone.
Workers of [General Motors] in [Detroit] went on strike.
[Boris Johnson] resigned, and [Rishi Sunak] followed [Liz Truss].
Doctors at [Johns Hopkins] treated a patient from [Canada].""".splitlines()
HELD_OUT = """[Isaac Newton] studied light at [Cambridge].
The mayor of [Boston] thanked [Michelle Obama] for her visit.
[Toyota] and [Honda] will close a plant in [Ohio] next year.
On Friday [Roger Federer] lost to a young player from [Spain].
[Emma Watson] read a letter from the [United Nations] aloud.
The train from [Vienna] to [Budapest] was an hour late.
[Alan Turing] broke the code, and [Winston Churchill] praised him.
[Google] moved its servers to [Finland] because it is cold there.
My brother saw [Paul McCartney] play in [Liverpool].
[Rosa Parks] stayed in her seat on a bus in [Alabama].
Farmers in [Kenya] sold their coffee to [Starbucks].
[Steven Spielberg] made a film about [Abraham Lincoln].
The museum in [Amsterdam] lent a painting to the [White House].
[Jane Goodall] watched the apes of [Tanzania] for years.
A storm left [Puerto Rico] and [Florida] without power.
[Intel] hired an engineer whom [Samsung] had let go.""".splitlines()
_FASTER = ("--setf", "duration_stretch=0.8")  # as flite calls four fifths of the time
VOICES, UNHEARD = ("kal16", "awb", "rms", "slt"), "kal"
SPEEDS = {"own speed": (), "faster": _FASTER}


class Said(NamedTuple):
    """A sentence: its words, the ranges of those that are names, and when each word is said."""

    words: list[str]
    names: list[tuple[int, int]]
    times: list[tuple[float, float]]
    samples: Samples


def flite(*arguments: str) -> str:
    return subprocess.run(["flite", *arguments], capture_output=True, text=True, check=True).stdout


@cache
def phones_of(voice: str, word: str) -> tuple[str, ...]:
    said = flite("-voice", voice, "-ps", "-t", f"{word} ", "-o", "/dev/null").split()
    return tuple(phone for phone in said if phone != "pau")


def say(voice: str, speed: str, sentence: str, path: Path) -> Said:
    words, names = [], []
    for token in re.findall(r"\[[^\]]*\]\S*|\S+", sentence):
        own = re.sub(r"[\[\]]", "", token).split()
        if token.startswith("["):
            names.append((len(words), len(words) + len(own)))
        words += own
    given = ("-voice", voice, *SPEEDS[speed], "-t", " ".join(words))
    phones, at = [], 0.0
    for line in flite(*given, "-psdur", "-o", str(path)).split():
        phone, _, end = line.rpartition(":")
        if phone != "pau":
            phones.append((phone, at, float(end)))
        at = float(end)
    said = flite(*given, "-pw", "-o", "/dev/null").split()
    assert len(said) == len(words), (said, words)
    wanted = [(phone, n) for n, word in enumerate(said) for phone in phones_of(voice, word)]
    matcher = SequenceMatcher(None, [p for p, _ in wanted], [p for p, *_ in phones], autojunk=False)
    owned: list[list[tuple[float, float]]] = [[] for _ in words]
    for _, first, last, start, end in matcher.get_opcodes():
        for place in range(start, end):
            own_place = max(0, min(first + place - start, last - 1))
            owned[wanted[own_place][1]].append(phones[place][1:])
    samples = open_sound(str(path), max_seconds=600, max_bytes=10**8).samples
    return Said(words, names, [(own[0][0], own[-1][1]) for own in owned], samples)


def with_pauses(sentences: list[Said]) -> Said:
    """Return one sound of sentences, with silence of 2 to 3 seconds behind each."""
    random, parts, words, names, times, at = np.random.default_rng(0), [], [], [], [], 0
    for said in sentences:
        names += [(first + len(words), last + len(words)) for first, last in said.names]
        times += [(start + at / 16_000, end + at / 16_000) for start, end in said.times]
        words += said.words
        pause = np.zeros(int(random.uniform(2, 3) * 16_000), np.float32)
        parts += [said.samples, pause]
        at += len(said.samples) + len(pause)
    return Said(words, names, times, np.concatenate(parts))


def overlaps(said: Said, found: list[TimedWord]) -> list[float]:
    shares = []
    for first, last in said.names:
        start, end = said.times[first][0], said.times[last - 1][1]
        own = found[first].start, found[last - 1].end
        both = min(end, own[1]) - max(start, own[0])
        shares.append(max(0.0, both) / (max(end, own[1]) - min(start, own[0])))
    return shares


def errors(wanted: list[str], heard: list[str]) -> int:
    """Return the edit distance of words."""
    row = list(range(len(heard) + 1))
    for place, word in enumerate(wanted, start=1):
        before, row = row, [place]
        for at, other in enumerate(heard):
            row.append(min(before[at] + (word != other), before[at + 1] + 1, row[at] + 1))
    return row[-1]


def measure(tool: Any, title: str, sentences: list[Said]) -> tuple[list[float], list[float]]:
    """Print how well names are found, and return their overlaps by each of the two ways."""
    by_transcript, by_alignment, wrong, words, took = [], [], 0, 0, [0.0, 0.0]
    seconds = sum(len(said.samples) for said in sentences) / 16_000
    for said in sentences:
        begun = time.perf_counter()
        heard = tool.transcribe(said.samples).words
        took[0] += time.perf_counter() - begun
        begun = time.perf_counter()
        aligned = tool.align(said.samples, said.words)
        took[1] += time.perf_counter() - begun
        known = placed(said.words, heard, len(said.samples) / 16_000)
        by_transcript += overlaps(said, known)
        by_alignment += overlaps(said, aligned)
        plain_words = list(map(plain, said.words))
        wrong += errors(plain_words, [plain(word.text) for word in heard])
        words += len(said.words)
    below = sum(share < 0.5 for share in by_alignment)
    print(
        f"{title}: IoU by transcription {np.mean(by_transcript):.3f}, by alignment "
        f"{np.mean(by_alignment):.3f} ({below} of {len(by_alignment)} below 0.5, the least "
        f"{min(by_alignment):.2f}); WER {wrong / words:.3f}; "
        f"{seconds / took[0]:.1f} and {seconds / took[1]:.1f} times real time",
        flush=True,
    )
    return by_transcript, by_alignment


def main() -> None:
    tool = registry.load(sys.argv[1] if sys.argv[1:] else "faster-whisper", "transcriber")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "said.wav")
        for title, voices, lines in (
            ("fitted", VOICES, SENTENCES),
            ("held-out sentences", VOICES, HELD_OUT),
            ("held-out voice and sentences", (UNHEARD,), HELD_OUT),
        ):
            for speed in SPEEDS:
                found = [
                    measure(
                        tool,
                        f"{title}, {voice}, {speed}",
                        [say(voice, speed, line, path) for line in lines],
                    )
                    for voice in voices
                ]
                means = [np.mean(np.concatenate(way)) for way in zip(*found, strict=True)]
                print(f"{title}, {speed}, all: IoU {means[0]:.3f} and {means[1]:.3f}", flush=True)
        for voice in VOICES:
            said = [say(voice, "own speed", line, path) for line in HELD_OUT]
            measure(tool, f"held out, {voice}, with pauses", [with_pauses(said)])
        long = np.concatenate([say("rms", "own speed", line, path).samples for line in SENTENCES])
        ten_minutes = np.tile(long, 7)[: 600 * 16_000]
        begun = time.perf_counter()
        heard = tool.transcribe(ten_minutes).words
        took = time.perf_counter() - begun
        print(f"ten minutes: {len(heard)} words, {600 / took:.1f} times real time")


if __name__ == "__main__":
    main()
