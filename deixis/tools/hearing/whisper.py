"""Whisper run by transformers: any of its sizes and languages, on a CPU or a GPU.

Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022,
arXiv:2212.04356). Words have the times that the decoder's attention tells, set right by
`deixis.tools.hearing.edges`; the words of a given text are found again among those heard.
"""

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import StringConstraints

from deixis.errors import ModelFileError, SettingsError
from deixis.tools.base import Heard, Samples, TimedWord, warn
from deixis.tools.hearing.edges import settled
from deixis.tools.hearing.last import LastHeard
from deixis.tools.hearing.pauses import shortened
from deixis.tools.hearing.pieces import RATE, is_silent, pieces
from deixis.tools.hearing.words import later, placed, plain
from deixis.weights.micro_batch import MicroBatch
from deixis.weights.short_memory import in_halves
from deixis.weights.torch_models import Precision, files_of, once, packages, part, pretrained

Language = Annotated[str, StringConstraints(pattern="^[a-z]{2,3}$")]

_AT_ONCE = 28.0  # seconds; the model hears 30
_BLANK = "\N{LATIN CAPITAL LETTER G WITH DOT ABOVE}"  # how tokens write the blank before a word
_AGAIN = 4  # so often the same words may follow each other; of noise models say them on and on


class Loaded(NamedTuple):
    """A model and what goes with it; it runs in a ``turn``."""

    model: Any
    extractor: Any
    tokenizer: Any
    turn: MicroBatch


class Whisper:
    """A transcriber.

    Args:
        weights: a folder, or ``OWNER/REPO[@REVISION]`` of the hub.
        language: code of what is spoken, such as ``de``; None lets the model find out.
        device: ``auto`` is CUDA, else MPS, else CPU.
        dtype: ``auto`` is bfloat16 on CUDA, float16 on MPS, float32 on a CPU.
    """

    name = "whisper"

    def __init__(
        self,
        weights: str = "openai/whisper-small",
        language: Language | None = None,
        device: str = "auto",
        dtype: Precision = "auto",
    ) -> None:
        self._model = (weights, device, dtype)
        self._language = language
        self._last = LastHeard()

    def files(self) -> list[str]:
        """Return where the weights are, as specs of `deixis.weights.model_files`."""
        return files_of(self._model[0])

    def transcribe(self, samples: Samples) -> Heard:
        """Write down what is said; see `deixis.tools.base.Transcriber`.

        Raises:
            ToolError: the model fails on this sound.
            ModelFileError: the weights cannot be had, or cannot tell when words are said.
            SettingsError, MissingExtraError: as for all models of transformers.
        """
        loaded = load(*self._model)
        words: list[TimedWord] = []
        for start, stop in pieces(samples, _AT_ONCE):
            if is_silent(samples[start:stop]):
                continue
            sound = shortened(samples[start:stop])
            done = loaded.turn.run(
                object(),
                [sound.samples],
                lambda items: in_halves(lambda some: self._run(loaded, some), items, self.name),
            )
            warn(done.warning)
            words += [later(sound.as_given(word), start / RATE) for word in done.results[0]]
        english = not _is_multilingual(loaded)
        known = "en" if english else self._language
        return self._last.keep(samples, Heard(words, known if words else None))

    def align(self, samples: Samples, words: Sequence[str]) -> list[TimedWord]:
        """Return when the words of a text are said, by those that are heard; else as above."""
        heard = self._last.of(samples) or self.transcribe(samples)
        return placed(words, heard.words, len(samples) / RATE)

    def _run(self, loaded: Loaded, sounds: Sequence[Samples]) -> list[list[TimedWord]]:
        asked: dict[str, Any] = {}
        if _is_multilingual(loaded):
            asked = {"task": "transcribe", "language": self._language}
        elif self._language not in (None, "en"):
            raise SettingsError(
                f"option language: {self._model[0]} knows English alone, not {self._language}"
            )
        return [_words(loaded, sound, asked) for sound in sounds]


@once
def load(weights: str, device: str, dtype: str) -> Loaded:
    """Return the model, read by the first caller of the process and kept.

    Raises:
        ModelFileError, SettingsError, MissingExtraError: as `pretrained`.
    """
    _, transformers = packages()
    model = pretrained(transformers.WhisperForConditionalGeneration, weights, device, dtype)
    if getattr(model.generation_config, "alignment_heads", None) is None:
        raise ModelFileError(
            f"{weights} does not tell when words are said: its generation_config.json has no "
            "alignment_heads"
        )
    return Loaded(
        model,
        part(transformers.AutoFeatureExtractor, weights),
        part(transformers.AutoTokenizer, weights),
        MicroBatch(1),
    )


def _is_multilingual(loaded: Loaded) -> bool:
    return bool(getattr(loaded.model.generation_config, "is_multilingual", False))


def _words(loaded: Loaded, sound: Samples, asked: dict[str, Any]) -> list[TimedWord]:
    """Write down at most 30 seconds of sound."""
    torch, _ = packages()
    model, tokenizer = loaded.model, loaded.tokenizer
    seen = loaded.extractor(
        sound, sampling_rate=RATE, return_tensors="pt", return_attention_mask=True
    )
    written = model.generate(
        seen.input_features.to(model.device, model.dtype),
        attention_mask=seen.attention_mask.to(model.device),
        do_sample=False,
        num_beams=1,
        return_timestamps=False,
        return_token_timestamps=True,
        return_dict_in_generate=True,
        force_unique_generate_call=True,
        **asked,
    )
    tokens, times = written["sequences"][0].tolist(), written["token_timestamps"][0].tolist()
    given = len(tokens) - len(written["scores"])
    chosen = zip(written["scores"], tokens[given:], strict=True)
    sure = [1.0] * given + [float(torch.softmax(row[0], -1)[token]) for row, token in chosen]
    control = set(tokenizer.all_special_ids)
    starts: list[int] = []
    for place, token in enumerate(tokens):
        piece = str(tokenizer.convert_ids_to_tokens(token))
        if token not in control and (piece.startswith(_BLANK) or not starts):
            starts.append(place)
    ends = [*starts[1:], len(tokens)]
    last = len(sound) / RATE
    found: list[TimedWord] = []
    for start, end in zip(starts, ends, strict=True):
        text = "".join(tokenizer.decode(tokens[start:end], skip_special_tokens=True).split())
        if plain(text) and [plain(w.text) for w in found[-_AGAIN:]] != [plain(text)] * _AGAIN:
            begins = max(min(times[start], last), found[-1].end if found else 0.0)
            until = max(begins, min(times[min(end, len(times) - 1)], last))
            found.append(
                TimedWord(text, begins, until, min(1.0, sum(sure[start:end]) / (end - start)))
            )
    return settled(found, sound)
