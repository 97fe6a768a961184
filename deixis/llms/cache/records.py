"""What is stored of an answer, what it is found by, and what is left out of both."""

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json, to_json

from deixis.base.problems import problem_line
from deixis.base.text_files import lines_of
from deixis.base.urls import HIDDEN, without_credentials
from deixis.errors import DataError
from deixis.llms.answers.chances import Chances

FORMAT = 1
"""Part of every key: records of another format are never found."""

# Names whose last word says that the value opens something: api_key, x-api-key, auth_token;
# but neither max_tokens nor eos_token.
_SECRET = re.compile(
    r"(?!(?:bos|eos|image|mask|pad|sep|stop|unk)_token$)(?:.*[_.-])?"
    r"(?:\w*(?:key|password|secret)|passwd|token|auth|authorization|credentials?|headers"
    r"|cookies?|signature|sig)",
    re.IGNORECASE,
)
_IDENTITY = ("format", "spec", "system", "user", "schema_sha256", "images", "sample")


class Request(NamedTuple):
    """Everything that determines an answer.

    ``spec``: the model as its role names it, with every option. ``system``, ``user``: the
    rendered prompt. ``images``: sha256 of each picture, and of sound and video with the kind
    before it (``audio:...``, ``video:...``), in order. ``sample``: which of several answers of
    one model to one question, for self-consistency; they never share a record. ``weights``: what
    is in the model's files on this disk (`deixis.weights.fingerprints`), "" for a model elsewhere.
    """

    spec: str
    system: str
    user: str
    schema: dict[str, Any] | None
    images: tuple[str, ...]
    sample: int = 0
    weights: str = ""


class Answer(NamedTuple):
    """What a model said, word for word, why it ended, and what it cost when it was asked.

    ``chances``: how sure it was of what it chose (see `deixis.llms.answers.chances`).
    """

    text: str
    input_tokens: int
    output_tokens: int
    finish_reason: str = ""
    chances: Chances = {}  # noqa: RUF012 - a NamedTuple's default, never changed


class Record(BaseModel):
    """One answer as it is stored, exported and shown; of the schema only the sha256."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    key: str
    format: Literal[1]
    spec: str
    system: str
    user: str
    schema_sha256: str
    images: tuple[str, ...]
    sample: int
    when: AwareDatetime
    text: str
    input_tokens: int
    output_tokens: int
    finish_reason: str = ""
    chances: Chances = {}
    weights: str = ""

    def problem(self) -> str:
        """Say what is wrong with a record from elsewhere; "" for nothing."""
        if clean_spec(self.spec) != self.spec:
            return "its spec is not as the cache writes it (options in order, no secrets)"
        identity = {name: getattr(self, name) for name in _IDENTITY}
        if _key(identity | _weights(self)) != self.key:
            return "its key does not belong to its content"
        return ""


class ModelStats(NamedTuple):
    """What the cache holds of one model; bytes and tokens are sums."""

    entries: int
    bytes: int
    input_tokens: int
    output_tokens: int


class Stats(NamedTuple):
    """What the cache holds; ``damaged`` records count nowhere else."""

    entries: int
    bytes: int
    models: dict[str, ModelStats]
    oldest: datetime | None
    newest: datetime | None
    damaged: int


class Imported(NamedTuple):
    """How many records of a file were taken, and how many were here already or newer here."""

    taken: int
    kept: int


def identify(request: Request) -> tuple[str, dict[str, Any]]:
    """Return the key of a request and the fields of its record that the key stands for."""
    identity = {
        "format": FORMAT,
        "spec": clean_spec(request.spec),
        "system": as_utf8(request.system),
        "user": as_utf8(request.user),
        # As it is written, for models answer in the order of a schema's properties. pydantic
        # writes it in a quarter of the time that json takes.
        "schema_sha256": _sha256(to_json(request.schema)),
        "images": request.images,
        "sample": request.sample,
        **_weights(request),
    }
    return _key(identity), identity


def _weights(known: Request | Record) -> dict[str, str]:
    """Return the part of a key that is missing where there are no weights to be told apart."""
    return {"weights": known.weights} if known.weights else {}


def _key(identity: dict[str, Any]) -> str:
    # Texts count by their sha256: writing long ones as JSON takes longer than hashing them.
    texts = {name: _sha256(identity[name].encode()) for name in ("system", "user")}
    return _sha256(to_json({**identity, **texts}))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def as_utf8(text: str) -> str:
    """Replace halves of surrogate pairs, which JSON can name but no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def stored_answer(body: bytes, key: str, since: datetime | None) -> Answer | None:
    """Return the answer of a stored record; None for no record, another's, or one too old.

    Faster than to make a `Record`, which takes longer than all else that a hit does.
    """
    try:
        stored = from_json(body)
        if stored["key"] != key or type(stored["text"]) is not str:
            return None
        if since is not None and datetime.fromisoformat(stored["when"]) < since:
            return None
        tokens = int(stored["input_tokens"]), int(stored["output_tokens"])
        reason, chances = str(stored.get("finish_reason", "")), dict(stored.get("chances", {}))
        return Answer(stored["text"], *tokens, reason, chances)
    except (ValueError, KeyError, TypeError):
        return None


def stored_record(body: bytes | None, key: str) -> Record | None:
    """Return the record that is stored under `key`; None when it is damaged."""
    try:
        record = None if body is None else Record.model_validate_json(body)
    except ValidationError:
        return None
    return record if record is not None and record.key == key else None


def read_records(path: Path) -> Iterator[Record]:
    """Yield the records of an exported file; empty lines are skipped.

    Raises:
        DataError: a line is no record as the cache writes it.
        InputError: the file cannot be read.
    """
    for number, line in lines_of(path):
        try:
            record = Record.model_validate_json(line)
            problem = record.problem()
        except ValidationError as error:
            problem = problem_line(error)
        if problem:
            raise DataError(f"{path}:{number}: {problem}")
        yield record


@lru_cache(maxsize=256)
def clean_spec(spec: str) -> str:
    """Return a spec as records hold it: options in the order of their names, no secrets."""
    # Not Spec.parse, which refuses what must be dropped here, whoever calls.
    head, mark, query = spec.partition("?")
    if not mark:
        return spec
    options = dict(parse_qsl(query, keep_blank_values=True))
    kept = [
        (option, _clean_url(value, "url" in option))
        for option, value in sorted(options.items())
        if not _SECRET.fullmatch(option)
    ]
    return f"{head}?{urlencode(kept, safe=':/')}" if kept else head


def _clean_url(value: str, is_url: bool) -> str:
    """Drop user, password and secret parameters of a URL; Ollama's may have no scheme."""
    if "://" not in value:
        return re.sub(r"\A[^/@\s?]+@", "", value) if is_url else value
    try:
        url = urlsplit(without_credentials(value))
        pairs = parse_qsl(url.query, keep_blank_values=True)
    except ValueError:  # no URL after all
        return value
    kept = [pair for pair in pairs if pair[1] != HIDDEN and not _SECRET.fullmatch(pair[0])]
    query = urlencode(kept)
    return urlunsplit(url._replace(netloc=url.netloc.rpartition("@")[2], query=query))
