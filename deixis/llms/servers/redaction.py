"""Keys and passwords: known to requests, and never shown, logged, stored or hashed."""

import base64
import json
import os
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_plus

from deixis.base.urls import HIDDEN, without_credentials, without_credentials_in

_SHORTEST = 8  # characters of a value that is taken out of replies; shorter ones are words
_SHORTEST_KEY = 4  # of one that is taken out of errors, where it belongs to a key's variable
_LONGEST = 50_000  # characters of an error that are looked through
_KEY_NAME = re.compile(r"(?i).*(?:api_?key|access_?key|token|secret|passw(?:or)?d|credentials?)")
_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://([^/\s:@]*):([^/\s@]+)@", re.IGNORECASE)
# What gives itself away in an error, whoever's it is: ``sk-...``, ``AIza...``, ``Bearer ...``.
_FORMS = re.compile(
    r"\b(?:(?:sk|pk|rk|xai|gsk|hf|gh[a-z]|glpat|nvapi|pplx|tgp|r8|csk|fw|ya29)[-_.][\w.*-]{6,}"
    r"|AIza[\w*-]{6,}|eyJ[\w-]+\.[\w-]+\.[\w-]*)"
)
_SCHEME = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=*-]{6,}")
_NAMED = re.compile(
    r"(?i)([\w-]*(?:api[-_]?key|authorization|token|secret|password)[\"'\\]*\s*[:=]\s*[\"'\\]*)"
    r"(?!bearer\b|basic\b)(?=[^\s\"',;&}\\]*\d)[^\s\"',;&}\\]{6,}"
)
_known: set[str] = set()
_read: tuple[dict[Any, Any], frozenset[str]] = {}, frozenset()
"""The variables of the environment when they were last looked through, and the keys among them."""


def remember(*values: str) -> None:
    """Take these values out of all errors and replies from now on."""
    _known.update(value for value in values if value)


def is_secret(name: str) -> bool:
    """Whether a parameter or a header of this name opens something."""
    return HIDDEN in without_credentials(f"x://h/?{quote(name)}=1")


def secret_in(value: Any) -> str:
    """Return the name of something in JSON that opens something, "" if nothing does."""
    if isinstance(value, list):
        return next(filter(None, map(secret_in, value)), "")
    if not isinstance(value, dict):
        return ""
    for name, inner in value.items():
        if is_secret(name) and not _counts(name) and not isinstance(inner, bool | int | float):
            return str(name)
    return secret_in(list(value.values()))


def without_keys(text: str, shortest: int = _SHORTEST) -> str:
    """Return a text with ``***`` in place of every key that this process knows.

    Those are what settings give, and what stands in environment variables with names such as
    ``OPENAI_API_KEY``, or as a password in a URL there.
    """
    keys = _known | _in_environment()
    for key in sorted((key for key in keys if len(key) >= shortest), key=len, reverse=True):
        for spelled in _spellings(key):
            text = text.replace(spelled, HIDDEN)
    return text


def _in_environment() -> frozenset[str]:
    """Return the keys that the environment has now; they are looked for when it has changed.

    Every reply asks, and to read all variables takes longer than all else that is done with it.
    """
    global _read
    variables = getattr(os.environ, "_data", os.environ)  # as the system has them, undecoded
    before, found = _read
    if variables != before:
        before = dict(variables)  # first: what changes meanwhile is seen the next time
        found = frozenset(_keys_among(os.environ.items()))
        _read = before, found
    return found


def _keys_among(variables: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in variables:
        if _KEY_NAME.fullmatch(name):
            yield value.strip()
        if "@" in value:
            for user, password in _PASSWORD.findall(value):
                yield from (password, f"{user}:{password}")


@lru_cache(maxsize=1024)
def _spellings(key: str) -> tuple[str, ...]:
    """Return a key as it may stand in a URL, in JSON, in a page or in a header."""
    quoted = quote(key, safe=""), quote(key)
    small = (re.sub("%..", lambda match: match[0].lower(), spelled) for spelled in quoted)
    packed = base64.b64encode(key.encode(errors="replace")).decode().rstrip("=")
    return key, *quoted, *small, key.replace("/", r"\/"), json.dumps(key)[1:-1], escape(key), packed


def redacted(text: str) -> str:
    """Return what an error says without keys: known ones, and what looks like one."""
    text = without_keys(text[:_LONGEST], _SHORTEST_KEY)
    text = _SCHEME.sub(rf"\1 {HIDDEN}", _FORMS.sub(HIDDEN, without_credentials_in(text)))
    return _NAMED.sub(rf"\1{HIDDEN}", text)


def shown(spec: str) -> str:
    """Return a spec as it may be shown: the same, without the credentials in its URLs.

    Options with the name of a secret lose their value too.
    """
    head, mark, query = spec.partition("?")
    if not mark:
        return spec
    return head + mark + "&".join(map(_shown_option, query.split("&")))


def _shown_option(pair: str) -> str:
    name, mark, value = pair.partition("=")
    if mark and value and is_secret(unquote_plus(name)) and not _counts(name):
        return f"{name}={HIDDEN}"
    plain = unquote_plus(value)
    if plain.lstrip()[:1] in {"{", "["} and _opens(plain):
        return f"{name}={HIDDEN}"
    safe = without_credentials(plain)
    if "://" not in plain and re.match(r"[^/@\s]+:[^/@\s]*@", plain):  # Ollama takes no scheme
        safe = f"{HIDDEN}@{plain.rpartition('@')[2]}"
    return pair if safe == plain else f"{name}={quote(safe, safe=':/*@?=.')}"


def _opens(json_text: str) -> bool:
    try:
        return bool(secret_in(json.loads(json_text)))
    except (ValueError, RecursionError):
        return _NAMED.search(json_text) is not None


def _counts(name: str) -> bool:
    """Whether an option is a number of tokens and no token."""
    return "tokens" in name or name.endswith("_token_id")


def secrets_of(url_query: str) -> list[str]:
    """Return the values of those parameters of a query that open something."""
    return [value for name, value in parse_qsl(url_query) if is_secret(name)]
