"""Chat models by name: ``provider:model?option=value``.

LangChain has no hook for new providers, so this is a small table of our own that calls
LangChain's wrappers. An SDK is imported when a role first uses it.
"""

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple
from urllib.parse import urlencode

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable
from pydantic import ValidationError

from deixis.base.forks import Lock
from deixis.base.plugins import plugins
from deixis.base.printable import one_line
from deixis.base.problems import first_problem, nearest
from deixis.errors import DeixisError, MissingExtraError, MissingKeyError, SettingsError
from deixis.llms.box_conventions import OPTION, family_named
from deixis.llms.servers import faults
from deixis.llms.servers.manners import Manners
from deixis.llms.servers.redaction import shown
from deixis.settings import Spec

ENTRY_POINTS = "deixis.llms"
"""Group under which other packages register ``provider = "module:function"``."""


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


class Provider(NamedTuple):
    """Where a provider's wrapper is, and what it needs.

    A provider whose models read weights here says which, by a function beside the wrapper:
    ``NAME_files(spec)`` for the wrapper ``NAME``. One that has models which describe pictures and
    answer no questions says which by ``NAME_only_describes(spec)``.

    ``package`` is the distribution that ``extra`` brings; "" for one that is there. Any one
    of ``keys`` in the environment will do.
    """

    target: str
    package: str
    extra: str
    keys: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    """Variables by which its SDK is sent to another server."""
    sees: bool = True
    """Whether models of it may take pictures."""
    eyes: str = ""
    """The option that gives eyes to a model that else has none."""

    @property
    def key(self) -> str | None:
        """The variable with the key: the first that is set, else the first that could be."""
        return next((key for key in self.keys if os.environ.get(key)), (*self.keys, None)[0])

    def files(self, spec: str) -> list[str]:
        """Return what a model reads its weights from here, as specs of `model_files`.

        Raises:
            SettingsError: the wrapper cannot be imported, or there is no such model.
        """
        tell = self._beside(spec, "files")
        return [] if tell is None else list(tell(Spec.parse(spec)))

    def only_describes(self, spec: str) -> bool:
        """Say whether a model is known to describe pictures and to answer no questions.

        Raises:
            SettingsError: the wrapper cannot be imported.
        """
        tell = self._beside(spec, "only_describes")
        return tell is not None and bool(tell(Spec.parse(spec)))

    def _beside(self, spec: str, what: str) -> Any:
        return getattr(self.module(spec), f"{self.target.partition(':')[2]}_{what}", None)

    def module(self, spec: str) -> Any:
        """Import the module of the wrapper.

        Raises:
            SettingsError: it cannot be imported.
        """
        try:
            return import_module(self.target.partition(":")[0])
        except ImportError as error:
            raise SettingsError(
                f"{shown(spec)!r}: its provider cannot be imported: {error}"
            ) from None


PROVIDERS = {
    "embedded": Provider(
        "deixis.llms.backends:embedded", "xllamacpp", "starter", sees=False, eyes="mmproj"
    ),
    "gguf": Provider(
        "deixis.llms.backends:gguf", "xllamacpp", "starter", sees=False, eyes="mmproj"
    ),
    "openai": Provider(
        "deixis.llms.backends:openai",
        "langchain-openai",
        "openai",
        ("OPENAI_API_KEY",),
        ("OPENAI_API_BASE", "OPENAI_BASE_URL"),
    ),
    "google_genai": Provider(
        "deixis.llms.backends:google_genai",
        "langchain-google-genai",
        "google",
        ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        ("GOOGLE_GEMINI_BASE_URL",),
    ),
    "anthropic": Provider(
        "deixis.llms.backends:anthropic",
        "langchain-anthropic",
        "anthropic",
        ("ANTHROPIC_API_KEY",),
        ("ANTHROPIC_API_URL", "ANTHROPIC_BASE_URL"),
    ),
    "ollama": Provider(
        "deixis.llms.backends:ollama", "langchain-ollama", "ollama", (), ("OLLAMA_HOST",)
    ),
    "transformers": Provider(
        "deixis.llms.local.transformers_chat:transformers", "transformers", "transformers"
    ),
}

_loading = Lock()


def provider_of(spec: str, others: Sequence[str] = ()) -> Provider:
    """Look up the provider of a spec without importing anything of it.

    Args:
        spec: a model as a role names it.
        others: names that the role takes besides, for the error to mention.

    Raises:
        SettingsError: no such provider (with the nearest right name).
    """
    name = Spec.parse(spec).provider
    if name in PROVIDERS:
        return PROVIDERS[name]
    points = plugins(ENTRY_POINTS)
    if name in points:
        return Provider(points[name], "", name)
    known = sorted({*PROVIDERS, *points, *others})
    raise SettingsError(
        f"{shown(spec)!r}: there is no language-model provider {name!r}{nearest(name, known)}; "
        f"known: {', '.join(known)}"
    )


def sees(spec: str) -> bool:
    """Say whether a model may take pictures.

    Raises:
        SettingsError: as `provider_of`.
    """
    provider = provider_of(spec)
    return provider.sees or provider.eyes in Spec.parse(spec).options


def whole_spec(spec: str) -> str:
    """Return a spec with the server that the environment names, if the spec names none.

    Another server is another model, whatever it is called: answers and limits go by this. The
    family, of which no model is told, is left out.
    """
    spec = _without_family(spec)
    parsed = Spec.parse(spec)
    url = url_of(provider_of(spec))
    if url is None or "base_url" in parsed.options:
        return spec
    return f"{spec}{'&' if parsed.options else '?'}{urlencode({'base_url': url})}"


def _without_family(spec: str) -> str:
    head, _, query = spec.partition("?")
    kept = [pair for pair in query.split("&") if pair.partition("=")[0] != OPTION]
    return f"{head}?{'&'.join(kept)}" if any(kept) else head


def url_of(provider: Provider) -> str | None:
    """Return the server that the environment names for a provider, or None."""
    return next((url for name in provider.urls if (url := os.environ.get(name))), None)


def check(spec: str) -> None:
    """Check that a backend could be loaded, without loading or calling it.

    Raises:
        SettingsError: unknown provider, no model named; or a family that does not exist, or of a
            model that takes no pictures, and so points at nothing.
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
    parsed = Spec.parse(_without_family(spec))
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
