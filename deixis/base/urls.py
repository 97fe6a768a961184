"""Credentials in URLs: used for a request, and never shown, logged, stored or hashed."""

import re
from urllib.parse import unquote

HIDDEN = "***"

# None of these looks at a character more than a few times, however a text is made.
_BEGINNING = r"(?:[a-z][a-z0-9+.-]{0,30}://|https?:[/\\]+)"
# A quote or bracket ends a URL in a text, unless it goes on as words do.
_URL = re.compile(rf"(?<![a-z0-9+.-]){_BEGINNING}(?:[^\s\"'<>`]|[\"'<>`](?=\w))+", re.IGNORECASE)
_BEGINS = re.compile(_BEGINNING, re.IGNORECASE)
_PARAMETER = re.compile(r"(?<=[?&;#/,])([^=&;#?/,]{1,200})=([^&;#]*)")
# The words that names of parameters are made of: api_key, X-Amz-Signature, accessToken, sig.
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORD = re.compile(
    "key|apikey|ak|sk|tk|token|secret|signature|sig|hmac|sas|password|passwd|passphrase|pass|pwd|pw|auth"
    "|authorization|bearer|credentials?|session|sessionid|jsessionid|sid|jwt|code|ticket|cookie"
    "|policy|assertion|otp|pin|hm|cred|sign|sess|csrf|xsrf|hdnea|hdnts|gda"
)
_SECRET_ENDING = re.compile(
    "(?:token|secret|password|signature|sessionid|sessid|keyid"
    "|(?:api|app|auth|access|secret|private|account|client|subscription)key)$"
)
# What gives itself away by its form, wherever it stands: keys of model hubs and code hosts, of
# Google, JSON web tokens, and the tokens of Telegram's bots, which are part of the path.
_SECRET_FORMS = re.compile(
    r"(?<![\w-])(?:sk-[\w-]{16,}|hf_\w{16,}|gh[a-z]_\w{20,}|github_pat_\w{20,}|xox[a-z]-[\w-]{10,}"
    r"|AIza[\w-]{30,}|eyJ[\w-]+\.[\w-]+\.[\w-]*)|(?<=/bot)\d+:[\w-]{20,}"
)


def without_credentials(url: str, _inside: int = 2) -> str:
    """Return a URL with ``***`` in place of its user, its password and whatever looks like a key.

    That is everything before the host's ``@``, the values of parameters with names such as
    ``api_key``, ``token`` or ``X-Amz-Signature``, and of URLs inside parameters. The same URL
    comes back if there is none of it, so ``without_credentials(url) != url`` says there is some.
    """
    beginning = _BEGINS.match(url)
    if not beginning:
        return url
    rest = url[beginning.end() :]
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    user, at, _ = authority.rpartition("@")
    # A slash or a question mark in a password ends the host too early: what is left is no port.
    if not at and re.search(r":(?!\d*$)(?![^\[]*\])", authority):
        user, at, _ = rest.rpartition("@")
    if at:
        rest = f"{HIDDEN}@{rest[len(user) + 1 :]}"
    rest = _PARAMETER.sub(lambda match: _parameter(match, _inside), rest)
    return beginning[0] + _SECRET_FORMS.sub(HIDDEN, rest)


def without_credentials_in(text: str) -> str:
    """Return a text with the credentials taken out of every URL in it."""
    return _URL.sub(lambda match: without_credentials(match[0]), text)


def _parameter(match: re.Match[str], inside: int) -> str:
    name, value = match.groups()
    words = _WORDS.findall(unquote(name))
    plain = re.sub(r"[^a-z0-9]", "", unquote(name).lower())
    secret = any(_SECRET_WORD.fullmatch(word.lower()) for word in words)
    if value and (secret or _SECRET_ENDING.search(plain)):
        return f"{name}={HIDDEN}"
    if not inside:
        return match[0]
    for _ in range(3):
        value = unquote(value)
    # An address within the site has parameters of its own, and some are a parameter by themselves.
    start = "" if _BEGINS.match(value) else "http://h?"
    shown = without_credentials(start + value, inside - 1).removeprefix(start)
    return match[0] if shown == value else f"{name}={shown}"
