"""Errors as clients are told of them: nothing of the server's network, no advice to who runs it."""

import re

from deixis.base.connections import NOT_PUBLIC
from deixis.base.printable import one_line
from deixis.llms.servers.redaction import redacted

_BYTES = "; send its bytes"
_TO_WHO_RUNS_IT = (
    # The address that a name stands for here may tell of a network that a client does not see.
    (re.compile(rf"(?<={NOT_PUBLIC}).*"), _BYTES),
    (re.compile(r"the proxy that \w* names refuses.*"), "the download failed" + _BYTES),
    (re.compile(r" through the proxy that \w+ names"), ""),
    (re.compile(r"(?:[;,] check [^;,]*)?(?:;|, or) download the \w+ and give its path.*"), _BYTES),
    (re.compile(r"; give a path, or allow them with --urls.*"), _BYTES),
)


def for_clients(error: object) -> str:
    """Return what a client is told of an error that is not ours, in one line without secrets."""
    words = redacted(one_line(error))
    for advice, instead in _TO_WHO_RUNS_IT:
        words = advice.sub(instead, words)
    return words
