"""How settings name a model or a tool."""

from functools import lru_cache
from typing import NamedTuple, Self
from urllib.parse import parse_qsl

from deixis.errors import SettingsError


class Spec(NamedTuple):
    """A model as a role names it: ``provider:name?option=value&option=value``."""

    provider: str
    name: str
    options: dict[str, str]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Split a spec string.

        Raises:
            SettingsError: the provider is missing, an option has no ``=``, or one is a key.
        """
        provider, name, pairs = _parts(text)
        return cls(provider, name, dict(pairs))


@lru_cache(maxsize=256)
def _parts(text: str) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """Split a spec, once: every question asks it of its model again and again."""
    head, _, query = text.partition("?")
    provider, _, name = head.partition(":")
    if not provider.strip():
        raise SettingsError(f"{text!r} names no provider; write provider:model, e.g. crf")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise SettingsError(f"options of {text!r} must read ?name=value&name=value") from None
    secret = next((option for option, _ in pairs if option.endswith("api_key")), None)
    if secret:  # a spec is shown in results, logs and files
        raise SettingsError(
            f"{head}: keys stay out of settings; leave out {secret}= and set the provider's "
            "environment variable"
        )
    return provider, name, tuple(pairs)
