"""Which models hear and watch: said by their spec, by their name, or by their provider.

``?hears=true`` and ``?watches=true`` in a spec say it of a model whose name does not tell, such as
one behind a server of one's own; ``false`` denies it. No server is sent these options, and answers
are kept without them: what a model was sent is in the key of its answer.

What a server refuses after all is learnt from its words, once for each model in a process.
"""

import re
from collections.abc import Callable, Collection
from typing import Literal

from deixis.errors import SettingsError
from deixis.llms.servers import faults
from deixis.llms.servers.wording import words_of
from deixis.settings import Spec

Sense = Literal["hears", "watches"]
SENSES: dict[Sense, str] = {"hears": "sound", "watches": "video"}
"""The options, and what a model with the sense can be sent."""
BY_KIND: dict[str, Sense] = {"audio": "hears", "video": "watches"}
"""The sense that a block of this kind needs."""

_CODES = {400, 404, 405, 415, 422, 500, 501}
_NAMED: dict[Sense, re.Pattern[str]] = {
    "hears": re.compile("audio|sound|speech", re.IGNORECASE),
    "watches": re.compile("video", re.IGNORECASE),
}
_UNNAMED = re.compile(
    r"content (?:block|part|type)s?|multi-?modal|modalit|unsupported (?:content|media)",
    re.IGNORECASE,
)
# Of one recording, and not of all: too long, damaged, or more than the context has room for.
_OF_ONE = re.compile(
    r"too (?:large|long|many|big)|context|exceed|maximum|decod|corrupt|\bprocess|download",
    re.IGNORECASE,
)

NameParts = tuple[str, ...] | None
"""Parts of the names of models that are known to have a sense, in small letters. None where no
model of a provider has it; without any, a spec can still say so."""


def has(parsed: Spec, sense: Sense, parts: NameParts, told: Callable[[], Collection[str]]) -> bool:
    """Say whether a model has a sense.

    Args:
        parsed: the model.
        sense: which.
        parts: of its provider.
        told: what the provider knows of this model, asked where nothing else tells.
    """
    if parts is None:
        return False
    if (said := parsed.options.get(sense)) is not None:
        return said == "true"
    return named(parsed, parts) or sense in told()


def named(parsed: Spec, parts: tuple[str, ...]) -> bool:
    """Say whether a model's own name has one of some parts, which are in small letters."""
    name = parsed.name.rstrip("/").rpartition("/")[2].casefold()
    return any(part in name for part in parts)


def check(spec: str, parsed: Spec, sense: Sense, parts: NameParts) -> None:
    """Check what a spec says of a sense.

    Raises:
        SettingsError: neither yes nor no, or no model of the provider has the sense.
    """
    said = parsed.options.get(sense)
    if said is None:
        return
    if parts is None:
        raise SettingsError(
            f"{spec!r}: option {sense} has no effect, for models of {parsed.provider} are sent no "
            f"{SENSES[sense]}; leave it out"
        )
    if said not in {"true", "false"}:
        raise SettingsError(f"{spec!r}: option {sense} is {said!r}; write true or false")


def refused(error: Exception, kinds: Collection[str]) -> set[Sense]:
    """Return the senses that a server says a model has not, when it refuses a request.

    Args:
        error: what came of the request.
        kinds: of the blocks that were sent.
    """
    words = words_of(error) or str(error)
    if faults.status_code(error) not in _CODES or _OF_ONE.search(words):
        return set()
    sent = {BY_KIND[kind] for kind in kinds if kind in BY_KIND}
    named = {sense for sense in sent if _NAMED[sense].search(words)}
    return named or (sent if _UNNAMED.search(words) else set())
