"""The table of providers of chat models, and where plugins add theirs.

LangChain has no hook for new providers, so this is a small table of our own that calls
LangChain's wrappers. An SDK is imported when a role first uses it.
"""

import os
from collections.abc import Collection, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from deixis.base.plugins import plugins
from deixis.base.problems import nearest
from deixis.errors import SettingsError
from deixis.llms.senses import NameParts
from deixis.llms.servers.redaction import shown
from deixis.settings import Spec

ENTRY_POINTS = "deixis.llms"
"""Group under which other packages register ``provider = "module:function"``."""


URL_NAMES = ("openai_api_base", "anthropic_api_url")
"""Wrappers' other names for the option ``base_url``."""


class Provider(NamedTuple):
    """Where a provider's wrapper is, and what it needs.

    A provider whose models read weights here says which, by a function beside the wrapper:
    ``NAME_files(spec)`` for the wrapper ``NAME``. One that has models which describe pictures and
    answer no questions says which by ``NAME_only_describes(spec)``. ``NAME_senses(spec)`` returns
    which of "hears" and "watches" a model can whose name does not tell. ``NAME_learns(spec)`` says
    whether a model is in training, so that nothing that it says is kept.

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
    blind: tuple[str, ...] = ()
    """Parts of the names of models that take none all the same."""
    eyes: str = ""
    """The option that gives eyes to a model that else has none."""
    hears: NameParts = ()
    """Parts of the names of models that can be sent sound; None where none can."""
    watches: NameParts = ()
    """The same of video."""
    batches: bool = False
    """Whether it answers batches of requests for less (`deixis.llms.provider_batch`)."""

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

    def learns(self, spec: str) -> bool:
        """Say whether a model is in training: what it answers now it may not answer later.

        Raises:
            SettingsError: its wrapper cannot be imported.
        """
        tell = self._beside(spec, "learns")
        return bool(tell and tell(Spec.parse(spec)))

    def senses(self, spec: str) -> Collection[str]:
        """Return what the provider tells of a model's senses.

        Raises:
            SettingsError: the wrapper cannot be imported.
        """
        tell = self._beside(spec, "senses")
        return () if tell is None else tell(Spec.parse(spec))

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


_DEAF: Any = {"hears": None, "watches": None}

PROVIDERS = {
    "embedded": Provider(
        "deixis.llms.backends:embedded",
        "xllamacpp",
        "starter",
        sees=False,
        eyes="mmproj",
        **_DEAF,
    ),
    "gguf": Provider(
        "deixis.llms.backends:gguf", "xllamacpp", "starter", sees=False, eyes="mmproj", **_DEAF
    ),
    "openai": Provider(
        "deixis.llms.backends:openai",
        "langchain-openai",
        "openai",
        ("OPENAI_API_KEY",),
        ("OPENAI_API_BASE", "OPENAI_BASE_URL"),
        blind=("gpt-audio", "gpt-4o-audio", "gpt-4o-mini-audio"),  # as OpenAI's pages on them say
        hears=("audio", "omni"),
        watches=("omni",),
        batches=True,
    ),
    "google_genai": Provider(
        "deixis.llms.backends:google_genai",
        "langchain-google-genai",
        "google",
        ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        ("GOOGLE_GEMINI_BASE_URL",),
        hears=("gemini",),
        watches=("gemini",),
        batches=True,
    ),
    "anthropic": Provider(
        "deixis.llms.backends:anthropic",
        "langchain-anthropic",
        "anthropic",
        ("ANTHROPIC_API_KEY",),
        ("ANTHROPIC_API_URL", "ANTHROPIC_BASE_URL"),
        batches=True,
        **_DEAF,
    ),
    "ollama": Provider(
        "deixis.llms.backends:ollama", "langchain-ollama", "ollama", (), ("OLLAMA_HOST",), **_DEAF
    ),
    "transformers": Provider(
        "deixis.llms.local.transformers_chat:transformers", "transformers", "transformers"
    ),
}


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
