"""What a reply tells of the provider's own cache of prompts."""

from typing import Any

from deixis.llms.servers import faults

# Anthropic's wrapper counts what is put into the cache by how long it stays there.
_WRITTEN = ("cache_creation", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")


def cached_of(usage: Any, given: int) -> tuple[int, int]:
    """Return how many tokens of the input the cache had, and how many were put there.

    Args:
        usage: LangChain's ``usage_metadata``, in which a server may have put anything.
        given: all tokens of the input; no more than these are believed.
    """
    details = usage.get("input_token_details")
    if not isinstance(details, dict):
        return 0, 0
    read = min(faults.tokens(details.get("cache_read")), given)
    written = sum(faults.tokens(details.get(name)) for name in _WRITTEN)
    return read, min(written, given - read)
