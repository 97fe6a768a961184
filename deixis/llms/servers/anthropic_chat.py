"""Claude's protocol, with marks for the provider's cache of prompts; imports the wrapper of it.

The cache keeps a marked beginning for five minutes after its last use. To put it there costs a
quarter more than to read it anew, to have it read from there a tenth, and with another JSON schema
it is another beginning (Anthropic's guides to prompt caching and to structured outputs). So the
instructions are marked from the second time on that they come within that time, with the same
schema; what comes once is never paid for. Beginnings that are too short are not kept, and a mark
on them costs nothing. What is asked by a batch is not marked: it is found again by its words, which
must not depend on when it is asked, and its requests come in any order within hours.
"""

import hashlib
import json
import time
from collections import OrderedDict
from typing import Any

from langchain_anthropic import ChatAnthropic

from deixis.base.forks import Lock
from deixis.llms.servers.awaited import SLIP

KEPT = 300.0
"""Seconds for which the provider keeps a beginning that nobody asks for."""
_MOST = 4096
"""Beginnings that are remembered."""


class Beginnings:
    """When what requests begin with was last sent; may be shared by threads."""

    def __init__(self) -> None:
        self._sent: OrderedDict[bytes, float] = OrderedDict()
        self._guard = Lock()

    def again(self, beginning: Any) -> bool:
        """Take a beginning in; return whether it has come before while it would be kept."""
        key = hashlib.sha256(json.dumps(beginning, sort_keys=True).encode()).digest()
        now = time.monotonic()
        with self._guard:
            before = self._sent.pop(key, None)
            self._sent[key] = now
            if len(self._sent) > _MOST:
                self._sent.popitem(last=False)
        return before is not None and now - before < KEPT


_beginnings = Beginnings()


class ClaudeChat(ChatAnthropic):  # type: ignore[misc]  # mypy does not read the wrapper
    """The wrapper, which marks instructions that come again, if they are sent at once."""

    def _get_request_payload(
        self, input_: Any, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        payload: dict[str, Any] = super()._get_request_payload(input_, stop=stop, **kwargs)
        system = payload.get("system")
        if not isinstance(system, str) or not system or SLIP.get() is not None:
            return payload
        form = (payload.get("output_config") or {}).get("format")
        if _beginnings.again([str(self.anthropic_api_url), payload.get("model"), form, system]):
            marked = {"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}
            payload["system"] = [marked]
        return payload
