"""Answers of language models, kept on disk: what was paid for once is not asked again.

An answer is found by everything that determines it: the model with its options, the
prompt, the schema, the pictures, the sound and the video. Identical calls that are in flight at
the same time, in any thread or process, are one call. Records are JSON text with a checksum; keys
of APIs are in none of them. Prompts are: the folder is closed to other users.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from deixis.base.atomic import PRIVATE
from deixis.base.text_files import write_lines
from deixis.errors import CacheMissError, DataError, InputError, SettingsError
from deixis.llms.cache import recognized
from deixis.llms.cache.held import HELD, holding
from deixis.llms.cache.records import (
    Answer,
    Imported,
    ModelStats,
    Record,
    Request,
    Stats,
    as_utf8,
    clean_spec,
    identify,
    read_records,
    stored_answer,
    stored_record,
)
from deixis.llms.cache.store import Store
from deixis.weights.model_files import cache_folder

__all__ = ["Answer", "Imported", "LlmCache", "Mode", "ModelStats", "Record", "Request", "Stats"]

T = TypeVar("T")


def default_folder() -> Path:
    """Return the folder of answers in the user's cache."""
    return cache_folder() / "llm"


Mode = Literal["use", "refresh", "off", "replay"]
LARGEST = 1_000_000
"""Bytes of a record, prompt and answer together; what is larger is not stored."""
_BATCH = 200  # records of one transaction: others wait to write while it lasts


class LlmCache:
    """A folder of answers.

    A folder or a disk that fails is no reason to stop: the cache goes on without what it
    cannot do and says why, once, in ``trouble``.

    Args:
        folder: made when the first answer is stored; on a local disk.
        mode: ``use`` asks what is not there; ``refresh`` asks everything once more and
            overwrites; ``off`` neither reads nor writes; ``replay`` never asks.

    Raises:
        SettingsError: there is no such mode.
    """

    def __init__(self, folder: Path, mode: Mode = "use") -> None:
        if mode not in get_args(Mode):
            raise SettingsError(f"no cache mode {mode!r}; known: {', '.join(get_args(Mode))}")
        # diskcache expands both, so both are expanded here for all who use the folder.
        self.folder = Path(os.path.expandvars(os.path.expanduser(folder)))
        self.mode = mode
        self.trouble: str | None = None
        self._store = Store(self.folder)
        self._reading = self._writing = mode != "off"

    def get_or_ask(
        self,
        request: Request,
        ask: Callable[[], T],
        *,
        keep: Callable[[T], Answer | None],
        revive: Callable[[Answer], T],
    ) -> T:
        """Return what is stored for a request, or ask and store it.

        Args:
            request: what is asked.
            ask: asks the model; what it raises goes through, and nothing is stored.
            keep: what of its result to store; None for a failure, a refusal, a truncation.
            revive: makes the result of a stored answer; raises ValueError when the answer
                does not fit any more, which counts as not stored.

        Raises:
            CacheMissError: in mode ``replay``, when there is no stored answer.
        """
        if self.mode == "off":
            return ask()
        key, identity = identify(request)
        stored = None if self.mode == "refresh" else self._find(key, revive)
        if stored is None and self.mode == "replay":
            raise CacheMissError(self._miss(key, request))
        if stored is not None:
            return stored[0]
        since = datetime.now(UTC) if self.mode == "refresh" else None
        with ExitStack() as stack:
            if self._writing:  # or there is nothing that others could find
                try:
                    stack.enter_context(self._store.turn(key))
                except DataError as error:
                    self._give_up(error, reading=True)
                stored = self._find(key, revive, since)
                if stored is not None:
                    return stored[0]
            result = ask()
            answer = keep(result)
            if answer is not None and self._writing:
                self._write(key, identity, answer)
            return result

    def holding(self) -> AbstractContextManager[Callable[[], None]]:
        """Keep what is stored within a block from all others; see `held.holding`."""
        return holding(self._put)

    def entries(self, model: str | None = None) -> Iterator[Record]:
        """Yield the records in the order of their keys.

        Args:
            model: only those of this spec, or of ``provider:name`` with any options.

        Raises:
            DataError: the cache cannot be read.
        """
        wanted = None if model is None else clean_spec(model)
        for key, body in self._store.rows():
            record = stored_record(body, key)
            if record is not None and wanted in (None, record.spec, record.spec.split("?")[0]):
                yield record

    def stats(self) -> Stats:
        """Count what is there.

        Raises:
            DataError: the cache cannot be read.
        """
        models: dict[str, ModelStats] = {}
        times: list[datetime] = []
        damaged = 0
        for key, body in self._store.rows():
            record = stored_record(body, key)
            if body is None or record is None:
                damaged += 1
                continue
            old = models.get(record.spec, ModelStats(0, 0, 0, 0))
            new = (1, len(body), record.input_tokens, record.output_tokens)
            models[record.spec] = ModelStats(*(a + b for a, b in zip(old, new, strict=True)))
            times = [min([*times, record.when]), max([*times, record.when])]
        return Stats(
            entries=sum(model.entries for model in models.values()),
            bytes=sum(model.bytes for model in models.values()),
            models=dict(sorted(models.items())),
            oldest=times[0] if times else None,
            newest=times[-1] if times else None,
            damaged=damaged,
        )

    def show(self, key_prefix: str) -> Record:
        """Return the record whose key begins so.

        Raises:
            InputError: there is none, or several.
            DataError: the cache cannot be read.
        """
        prefix = key_prefix.lower()
        records: list[Record] = []
        if re.fullmatch(r"[0-9a-f]{1,64}", prefix):
            for key, body in self._store.rows(prefix):
                record = stored_record(body, key)
                records += [] if record is None else [record]
                if len(records) > 1:
                    raise InputError(f"several answers have a key that begins with {prefix}")
        if not records:
            raise InputError(f"no answer has a key that begins with {key_prefix!r}")
        return records[0]

    def clear(self, model: str | None = None) -> int:
        """Remove all records, or those that `entries` yields for `model`; return how many.

        With all records goes what recognizers have found, which is not counted.

        Raises:
            DataError: the cache cannot be read or written.
        """
        if model is None:
            recognized.clear(self.folder)
            return self._store.delete(None)
        return self._store.delete([record.key for record in self.entries(model)])

    def export(self, path: Path) -> int:
        """Write all records, one JSON object per line, whole or not at all; return how many.

        Equal caches give equal files. Nothing secret is in it but the prompts themselves:
        only its owner can read the file, until told otherwise.

        Raises:
            DataError: the cache cannot be read.
            InputError: the file cannot be written.
        """
        return write_lines(path, (record.model_dump_json() for record in self.entries()), PRIVATE)

    def import_(self, path: Path) -> Imported:
        """Take the records of an exported file; what is newer here stays.

        Nothing is taken unless every line is right.

        Raises:
            DataError: a line is no record (the message names file and line), or the file
                cannot be read, or the cache not written.
        """
        for _ in read_records(path):
            pass
        taken = kept = 0
        records = read_records(path)
        while batch := list(islice(records, _BATCH)):
            with self._store.transaction():
                for record in batch:
                    here = stored_record(self._store.read(record.key), record.key)
                    if here is not None and here.when >= record.when:
                        kept += 1
                    else:
                        self._store.write(record.key, record.model_dump_json().encode())
                        taken += 1
        return Imported(taken, kept)

    def _find(
        self, key: str, revive: Callable[[Answer], T], since: datetime | None = None
    ) -> tuple[T] | None:
        """Return the stored result in a tuple, for a result may be None itself."""
        if not self._reading:
            return None
        held = HELD.get() or {}
        try:
            body = held[key] if key in held else self._store.read(key)
        except DataError as error:
            self._give_up(error, reading=True)
            return None
        answer = None if body is None else stored_answer(body, key, since)
        if answer is None:
            return None
        try:
            return (revive(answer),)
        except ValueError:
            return None

    def _write(self, key: str, identity: dict[str, Any], answer: Answer) -> None:
        stored = {**identity, **answer._asdict(), "text": as_utf8(answer.text)}
        record = Record(key=key, when=datetime.now(UTC), **stored)
        body = record.model_dump_json().encode()
        if len(body) > LARGEST:
            return
        if (held := HELD.get()) is not None:
            held[key] = body
        else:
            self._put(key, body)

    def _put(self, key: str, body: bytes) -> None:
        try:
            self._store.write(key, body)
        except DataError as error:
            self._give_up(error, reading=False)

    def _give_up(self, error: DataError, *, reading: bool) -> None:
        """Write no more and, when that failed too, read no more."""
        self._writing = False
        self._reading = self._reading and not reading
        if self.trouble is None:
            left = "nothing is looked up or stored" if reading else "nothing more is stored"
            self.trouble = f"{error}; {left}"

    def _miss(self, key: str, request: Request) -> str:
        prompt = " ".join(request.user.split())
        why = f" ({self.trouble})" if self.trouble else ""
        return (
            f"replay: there is no recorded answer of {clean_spec(request.spec)} to the prompt "
            f"{prompt[:80]!r} (key {key[:12]}) in {self.folder}{why}; run once with the cache "
            "mode use to record it, or import the file of a recorded run"
        )
