"""Chat models by name: ``provider:model?option=value``; what each can take, and loading it."""

import os
from collections.abc import Callable, Collection
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, NamedTuple
from urllib.parse import urlencode

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable
from pydantic import ValidationError

from deixis.base.forks import Lock
from deixis.base.printable import one_line
from deixis.base.problems import first_problem
from deixis.errors import DeixisError, MissingExtraError, MissingKeyError, SettingsError
from deixis.llms import senses
from deixis.llms.box_conventions import OPTION, family_named
from deixis.llms.providers import ENTRY_POINTS, PROVIDERS, URL_NAMES, Provider, provider_of
from deixis.llms.senses import NameParts
from deixis.llms.servers import faults
from deixis.llms.servers.manners import Manners
from deixis.llms.servers.redaction import shown
from deixis.settings import Spec
from deixis.weights.fingerprints import fingerprint

__all__ = [
    "ENTRY_POINTS",
    "PROVIDERS",
    "Backend",
    "Provider",
    "batches",
    "check",
    "hears",
    "lacks",
    "learn",
    "learns",
    "load",
    "provider_of",
    "sees",
    "url_of",
    "watches",
    "weights_of",
    "whole_spec",
]


class Backend(NamedTuple):
    """A chat model and how to make it answer in a JSON schema.

    ``constrain(schema, max_tokens)`` returns the model bound to both, the schema None when any
    text will do; it is None itself when the provider has no schema mode: the schema is then
    written into the prompt. ``manners`` is what is learnt of a server that may do without one.
    """

    spec: str
    model: BaseChatModel
    constrain: Callable[[dict[str, Any] | None, int], Runnable[Any, Any]] | None = None
    manners: Manners | None = None


BATCH = "batch"
"""The option that says whether a server takes batches: a provider's own does, others may."""
_URLS = {"base_url", *URL_NAMES}

_loading = Lock()
_refused: set[tuple[str, senses.Sense]] = set()
"""Models of servers, and what these said that they do not take."""


def sees(spec: str) -> bool:
    """Say whether a model may take pictures.

    Raises:
        SettingsError: as `provider_of`.
    """
    provider, parsed = provider_of(spec), Spec.parse(spec)
    if senses.named(parsed, provider.blind):
        return False
    return provider.sees or provider.eyes in parsed.options


def hears(spec: str) -> bool:
    """Say whether a model may be sent sound.

    Raises:
        SettingsError: as `provider_of`, or its wrapper cannot be imported.
    """
    return _has(spec, "hears")


def watches(spec: str) -> bool:
    """Say whether a model may be sent video.

    Raises:
        SettingsError: as `hears`.
    """
    return _has(spec, "watches")


def _has(spec: str, sense: senses.Sense) -> bool:
    provider = provider_of(spec)
    parts: NameParts = getattr(provider, sense)
    if _refused and (_served(spec), sense) in _refused:
        return False
    return senses.has(Spec.parse(spec), sense, parts, lambda: provider.senses(spec))


def learn(spec: str, kinds: Collection[str], error: Exception) -> None:
    """Take in that a server refuses sound or video for a model, if that is what it refused.

    Args:
        spec: the model.
        kinds: of the blocks that were sent.
        error: what came of the request.
    """
    _refused.update((_served(spec), sense) for sense in senses.refused(error, kinds))


def _served(spec: str) -> str:
    """Return a model and its server, without options and credentials."""
    parsed = Spec.parse(shown(whole_spec(spec)))
    return f"{parsed.provider}:{parsed.name} {parsed.options.get('base_url', '')}"


def lacks(spec: str, kinds: Collection[str]) -> str:
    """Say why a model is not sent media of some kinds; "" if it may be.

    Raises:
        SettingsError: as `hears`.
    """
    for kind, sense in senses.BY_KIND.items():
        if kind in kinds and not _has(spec, sense):
            return (
                f"{shown(spec)} takes no {senses.SENSES[sense]}; if it does, say so in its spec: "
                f"?{sense}=true"
            )
    return ""


def batches(spec: str) -> bool:
    """Say whether a model's requests may go into batches of its provider, at a lower price.

    They may at the provider's own address, unless the spec says ``?batch=false``; another server
    takes batches if the spec says ``?batch=true``.

    Raises:
        SettingsError: as `provider_of`.
    """
    provider, parsed = provider_of(spec), Spec.parse(spec)
    if (said := parsed.options.get(BATCH)) is not None:
        return provider.batches and said == "true"
    own = url_of(provider) is None and not _URLS & parsed.options.keys()
    return provider.batches and own


def whole_spec(spec: str) -> str:
    """Return a spec with the server that the environment names, if the spec names none.

    Another server is another model, whatever it is called: answers and limits go by this. Family
    and senses, of which no model is told, are left out.
    """
    spec = _as_asked(spec)
    parsed = Spec.parse(spec)
    url = url_of(provider_of(spec))
    if url is None or "base_url" in parsed.options:
        return spec
    return f"{spec}{'&' if parsed.options else '?'}{urlencode({'base_url': url})}"


def weights_of(spec: str) -> str:
    """Return what tells whether a model's weights on this disk are the same as they were.

    A folder may be trained anew under the same name. "" for a model elsewhere, or one whose files
    are missing or wrong, which is told when it is asked.
    """
    try:
        return fingerprint(provider_of(spec).files(spec))
    except (DeixisError, OSError):
        return ""


def learns(spec: str) -> bool:
    """Say whether a model is in training, so that what it answers is not to be kept."""
    try:
        return provider_of(spec).learns(spec)
    except DeixisError:  # told when it is asked
        return False


def _as_asked(spec: str) -> str:
    ours = (OPTION, BATCH, *senses.SENSES)
    head, _, query = spec.partition("?")
    kept = [pair for pair in query.split("&") if pair.partition("=")[0] not in ours]
    return f"{head}?{'&'.join(kept)}" if any(kept) else head


def url_of(provider: Provider) -> str | None:
    """Return the server that the environment names for a provider, or None."""
    return next((url for name in provider.urls if (url := os.environ.get(name))), None)


def check(spec: str) -> None:
    """Check that a backend could be loaded, without loading or calling it.

    Raises:
        SettingsError: unknown provider, no model named; or a family that does not exist, or of a
            model that takes no pictures, and so points at nothing; or a sense that it cannot have;
            or batches that it does not take.
        MissingExtraError: its package is not installed.
        MissingKeyError: its key is not in the environment.
    """
    provider = provider_of(spec)
    parsed = Spec.parse(spec)
    if not parsed.name:
        raise SettingsError(f"{shown(spec)!r} names no model; write {parsed.provider}:MODEL")
    if (family := parsed.options.get(OPTION)) is not None:
        family_named(family)
        if not sees(spec):
            raise SettingsError(
                f"{shown(spec)!r}: option {OPTION} has no effect, for the model takes no pictures"
            )
    for sense in senses.SENSES:
        senses.check(shown(spec), parsed, sense, getattr(provider, sense))
    if (said := parsed.options.get(BATCH)) is not None:
        if not provider.batches:
            raise SettingsError(f"{shown(spec)!r}: option {BATCH} has no effect; it takes none")
        if said not in {"true", "false"}:
            raise SettingsError(f"{shown(spec)!r}: option {BATCH} is true or false; got {said!r}")
    if provider.package and find_spec(provider.package.replace("-", "_")) is None:
        raise MissingExtraError(provider.package, provider.extra)
    # A server of one's own (base_url) need not want a key.
    if provider.key and not os.environ.get(provider.key) and "base_url" not in parsed.options:
        names = " or ".join(provider.keys)
        raise MissingKeyError(f"{shown(spec)} needs a key; set the environment variable {names}")


def load(spec: str) -> Backend:
    """Return the backend that a spec names, made once per process.

    Raises:
        SettingsError, MissingExtraError, MissingKeyError: as `check`.
        ModelFileError: the weights of a local model cannot be had.
    """
    with _loading:
        return _load(spec)


@lru_cache(maxsize=64)
def _load(spec: str) -> Backend:
    check(spec)
    provider = provider_of(spec)
    parsed = Spec.parse(_as_asked(spec))
    try:
        make = getattr(provider.module(spec), provider.target.partition(":")[2])
    except AttributeError as error:
        raise SettingsError(f"{shown(spec)!r}: its provider cannot be imported: {error}") from None
    try:
        backend = make(parsed)
    except ValidationError as error:
        place, problem = first_problem(error)
        option = f"option {place}: " if place else ""
        raise SettingsError(f"{shown(spec)!r}: {option}{problem}") from None
    except SettingsError as error:
        raise SettingsError(f"{shown(spec)!r}: {error}") from None
    except DeixisError:
        raise
    except Exception as error:  # wrappers choke on options in many ways
        if faults.is_bug(error) and not isinstance(error, TypeError):
            raise
        raise SettingsError(f"{shown(spec)!r}: {one_line(error)}") from None
    model = backend[0]
    # LangGraph asks in pieces as soon as somebody listens (`stream_mode="messages"`): then
    # tokens go uncounted, and of a reply that breaks off nothing tells that the rest is missing.
    model.disable_streaming = True
    return Backend(spec, *backend)
