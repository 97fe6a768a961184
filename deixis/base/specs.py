"""How settings name a model or a tool."""

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
        head, _, query = text.partition("?")
        provider, _, name = head.partition(":")
        if not provider.strip():
            raise SettingsError(f"{text!r} names no provider; write provider:model, e.g. crf")
        try:
            pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
        except ValueError:
            raise SettingsError(f"options of {text!r} must read ?name=value&name=value") from None
        options = dict(pairs)
        secret = next((option for option in options if option.endswith("api_key")), None)
        if secret:  # a spec is shown in results, logs and files
            raise SettingsError(
                f"{head}: keys stay out of settings; leave out {secret}= and set the provider's "
                "environment variable"
            )
        return cls(provider, name, options)
