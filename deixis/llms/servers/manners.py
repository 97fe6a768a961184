"""What a server that nearly speaks OpenAI's protocol does without, learnt from its refusals."""

import re
from functools import lru_cache
from typing import NamedTuple

from deixis.base.forks import Lock
from deixis.llms.servers import faults
from deixis.llms.servers.wording import words_of

FORMS = ("json_schema", "json_object", "none")
"""Ways to be held to JSON, the closest first; all but the first need the schema in the prompt."""
LIMITS = ("max_completion_tokens", "max_tokens")
"""Names of the token limit, the newer first."""

_CODES = {400, 404, 405, 415, 422, 500, 501}
_LIMIT = re.compile(
    r"max_?completion_?tokens|\bmax_tokens\W+(?:(?:field|parameter|is|was) )*(?:required|missing)",
    re.IGNORECASE,
)
_TOO_LARGE = re.compile(
    r"too (?:large|long|many|big)|context|at most|exceed|maximum", re.IGNORECASE
)
_FORM = re.compile(
    r"response.?format|\bstrict\b|json.?(?:schema|object|mode)|structured.?output|guided|grammar"
    r"|\bschema|requested parameters",
    re.IGNORECASE,
)
_SYSTEM = re.compile(
    r"system (?:role|message|prompt|instruction)s? (?:is |are )?(?:not|un)|roles must alternate"
    r"|(?:system|developer) instruction is not enabled|roles are supported"
    r"|\brole\b(?![\"']\s*:)[^.]{0,60}\bsystem\b",  # and not where the request is repeated
    re.IGNORECASE,
)
# A refusal that does not say of what: one thing after the other is given up.
_UNNAMED = re.compile(
    r"[^:'\"`]*\b(?:extra|additional|unknown|unexpected|unrecognized|unsupported|invalid) (?:\w+ )?"
    r"(?:inputs?|parameters?|arguments?|fields?|keys?|propert(?:y|ies))"
    r"(?: supplied| found| (?:is|are) not (?:permitted|allowed|supported))?\W*$",
    re.IGNORECASE,
)


class Ways(NamedTuple):
    """How a server is asked: the token limit's name, how it is held to JSON, system messages."""

    limit: str = LIMITS[0]
    form: str = FORMS[0]
    system: bool = True


class Manners:
    """The ways of one model of one server; may be shared by threads.

    Args:
        limit: what the settings say of the limit's name; None to learn it.
        form: the same of how it is held to JSON.
    """

    def __init__(self, limit: str | None = None, form: str | None = None) -> None:
        self._given = (limit, form)
        self._ways = Ways(limit or LIMITS[0], form or FORMS[0])
        self._guard = Lock()

    def now(self) -> Ways:
        """Return how to ask, as far as is known."""
        return self._ways

    def learn(self, asked: Ways, error: Exception) -> bool:
        """Take a refusal in; return whether there is another way to ask now.

        Each thing is given up once and for all, so a server is asked again a few times at most.
        """
        words = words_of(error) or str(error)
        if faults.status_code(error) not in _CODES:
            return False
        with self._guard:
            limit, form, system = self._ways
            if asked != self._ways:  # learnt meanwhile
                return True
            if _LIMIT.search(words) and not _TOO_LARGE.search(words) and self._given[0] is None:
                limit = LIMITS[1]
            unnamed = _UNNAMED.match(words) and not _LIMIT.search(words)
            if (_FORM.search(words) or unnamed) and self._given[1] is None:
                form = FORMS[min(FORMS.index(form) + 1, len(FORMS) - 1)]
            if unnamed and form == asked.form and self._given[0] is None:
                limit = LIMITS[1]
            if _SYSTEM.search(words):
                system = False
            self._ways = Ways(limit, form, system)
            return asked != self._ways

    def overrun(self, asked: Ways) -> None:
        """Take in that the limit of a request was ignored: older servers know one name only."""
        with self._guard:
            if self._given[0] is None and asked.limit == self._ways.limit:
                self._ways = self._ways._replace(limit=LIMITS[1])


_making = Lock()


@lru_cache(maxsize=256)
def _made(_server: str, _model: str, limit: str | None, form: str | None) -> Manners:
    return Manners(limit, form)


def manners_of(server: str, model: str, limit: str | None, form: str | None) -> Manners:
    """Return the manners of a model of a server: the same for all of this process who ask it."""
    with _making:
        return _made(server, model, limit, form)
