"""A server that writes speech down, asked as OpenAI's API for it is.

It is a tool (`deixis.tools.base.Transcriber`), and stands here because it is asked as servers of
language models are: with one deadline, no redirects, bounded replies, and errors without keys.
OpenAI's own, Groq's, vLLM, Speaches, LocalAI and others speak this protocol: a form with a sound is
posted to ``/audio/transcriptions`` and answered with words and their times (``verbose_json``). Some
tell the times of segments alone, some of nothing; then the words share the time of what they stand
in, and it is told.
"""

import math
import os
import re
from collections.abc import Sequence
from typing import Annotated

import httpx
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from deixis.base.problems import problem_line
from deixis.base.sound import RATE, wav_bytes
from deixis.errors import MissingKeyError, ModelCallError, SettingsError, ToolError
from deixis.llms.servers.address import server_at
from deixis.llms.servers.http import client_arguments
from deixis.llms.servers.redaction import redacted
from deixis.llms.servers.wording import words_of
from deixis.tools.base import Heard, Samples, TimedWord, warn
from deixis.tools.hearing.last import LastHeard
from deixis.tools.hearing.pieces import is_silent, pieces
from deixis.tools.hearing.words import placed, plain, spread

OPENAI = "https://api.openai.com/v1"
_AT_ONCE = 600.0  # seconds: 19 MB, and OpenAI takes 25
_FORM = re.compile(r"response.?format|verbose|timestamp|granularit", re.IGNORECASE)
"""What a server says that does not know this form of answer; OpenAI of its newer models."""
_CODE = 3  # letters of the code of a language; some servers write its name

Language = Annotated[str, StringConstraints(pattern="^[a-z]{2,3}$")]
Seconds = Annotated[float, Field(ge=0.001, le=86_400.0)]
_Time = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
_Number = Annotated[float, Field(allow_inf_nan=False)]


class _Word(BaseModel):
    word: str
    start: _Time
    end: _Time
    probability: _Number | None = None


class _Segment(BaseModel):
    text: str
    start: _Time
    end: _Time
    avg_logprob: _Number | None = None
    words: list[_Word] | None = None

    @property
    def score(self) -> float:
        """How sure, 1 where the server does not say."""
        return 1.0 if self.avg_logprob is None else math.exp(min(0.0, self.avg_logprob))


class _Answer(BaseModel):
    text: str
    language: str | None = None
    words: list[_Word] | None = None
    segments: list[_Segment] | None = None


class TranscriptionServer:
    """A transcriber behind a server.

    The key is in the environment variable ``OPENAI_API_KEY``, unless `variable` names another; a
    server with a `base_url` may want none.

    Args:
        model: its name on the server, such as ``whisper-1``.
        base_url: of the server, without credentials; it usually ends in ``/v1``.
        language: code of what is spoken, such as ``de``; None lets the server find out.
        timeout: seconds that one request may take; one has at most ten minutes of sound.
        variable: name of the environment variable that has the key.
    """

    name = "transcription-server"

    def __init__(
        self,
        model: str = "whisper-1",
        base_url: str = OPENAI,
        language: Language | None = None,
        timeout: Seconds = 300.0,
        variable: str = "OPENAI_API_KEY",
    ) -> None:
        server = server_at(base_url)
        if server.authorization or server.parameters:  # a spec is shown in results and files
            raise SettingsError(
                "base_url: credentials and parameters stay out of it; set the key as the variable "
                f"{variable}, or name another by variable="
            )
        self._model = model
        self._language = language
        self._last = LastHeard()
        self._timeout = timeout
        self._variable = variable
        self._is_own = base_url != OPENAI
        self._url = f"{server.url.rstrip('/')}/audio/transcriptions"
        self._client = httpx.Client(**client_arguments(server, timeout))

    def transcribe(self, samples: Samples) -> Heard:
        """Write down what is said; see `deixis.tools.base.Transcriber`.

        Raises:
            ToolError: the server cannot be reached, refuses, or answers with no transcription.
            MissingKeyError: OpenAI wants a key, and there is none.
        """
        found: list[TimedWord] = []
        language = self._language
        for start, stop in pieces(samples, _AT_ONCE):
            if is_silent(samples[start:stop]):
                continue
            answer = self._ask(samples[start:stop])
            later = start / RATE
            found += [
                word._replace(start=word.start + later, end=word.end + later)
                for word in _words(answer, (stop - start) / RATE)
            ]
            if language is None and answer.language and len(answer.language) <= _CODE:
                language = answer.language
        return self._last.keep(samples, Heard(found, language if found else None))

    def align(self, samples: Samples, words: Sequence[str]) -> list[TimedWord]:
        """Return when the words of a text are said, by those that are heard; else as above."""
        heard = self._last.of(samples) or self.transcribe(samples)
        return placed(words, heard.words, len(samples) / RATE)

    def _ask(self, samples: Samples) -> _Answer:
        form = {"model": self._model}
        if self._language is not None:
            form["language"] = self._language
        timed = {"response_format": "verbose_json", "timestamp_granularities[]": "word"}
        sound = wav_bytes(samples)
        response = self._sent(sound, {**form, **timed})
        if response.is_client_error and _FORM.search(words_of(_refusal(response))):
            response = self._sent(sound, {**form, "response_format": "json"})
        if not response.is_success:
            said = words_of(_refusal(response)) or "it says nothing of why"
            raise self._failed(f"the server answers {response.status_code}: {said}")
        try:
            return _Answer.model_validate_json(response.content)
        except ValidationError as error:
            raise self._failed(f"its answer is no transcription: {problem_line(error)}") from None

    def _sent(self, sound: bytes, form: dict[str, str]) -> httpx.Response:
        try:
            return self._client.post(
                self._url,
                headers=self._authorization(),
                data=form,
                files={"file": ("sound.wav", sound, "audio/wav")},
            )
        except (httpx.HTTPError, ModelCallError) as error:
            raise self._failed(str(error) or type(error).__name__) from error

    def _authorization(self) -> dict[str, str]:
        key = os.environ.get(self._variable, "").strip()
        if not key and not self._is_own:
            raise MissingKeyError(
                f"{self.name}: OpenAI wants a key; set the variable {self._variable}, or name a "
                "server by base_url="
            )
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _failed(self, reason: str) -> ToolError:
        return ToolError(redacted(f"{self.name} {self._model}: {' '.join(reason.split())}")[:400])


def _refusal(response: httpx.Response) -> httpx.HTTPStatusError:
    return httpx.HTTPStatusError("", request=response.request, response=response)


def _words(answer: _Answer, seconds: float) -> list[TimedWord]:
    """Return the words of an answer, with the times that it tells, of `seconds` of sound."""
    segments = answer.segments or []
    words = answer.words or [word for segment in segments for word in segment.words or []]
    if words:
        return [
            TimedWord(word.word.strip(), word.start, word.end, _score(word, segments))
            for word in words
            if plain(word.word)
        ]
    if segments:
        warn("the transcription server tells no times of words: those of its segments are shared")
    elif answer.text.strip():
        warn("the transcription server tells no times: its words share the whole sound")
        segments = [_Segment(text=answer.text, start=0.0, end=seconds)]
    return [
        word._replace(score=segment.score)
        for segment in segments
        for word in spread(segment.text.split(), segment.start, max(segment.start, segment.end))
    ]


def _score(word: _Word, segments: Sequence[_Segment]) -> float:
    if word.probability is not None:
        return min(1.0, max(0.0, word.probability))
    inside = (part.score for part in segments if part.start <= word.start < part.end)
    return next(inside, 1.0)
