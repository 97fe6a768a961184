"""What a reply tells of the provider's own cache of prompts."""

from typing import Any

from deixis.llms.servers import faults

# OpenAI's wrapper puts the service tier before the names. Anthropic's counts what is put into the
# cache by how long it stays there.
_READ = ("cache_read", "flex_cache_read", "priority_cache_read")
_WRITTEN = (
    *("cache_creation", "flex_cache_creation", "priority_cache_creation"),
    *("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"),
)


def cached_of(usage: Any, given: int) -> tuple[int, int]:
    """Return how many tokens of the input the cache had, and how many were put there.

    Args:
        usage: LangChain's ``usage_metadata``, in which a server may have put anything.
        given: all tokens of the input; no more than these are believed.
    """
    details = usage.get("input_token_details")
    if not isinstance(details, dict):
        return 0, 0
    read, written = (
        sum(faults.tokens(details.get(name)) for name in names) for names in (_READ, _WRITTEN)
    )
    read = min(read, given)
    return read, min(written, given - read)
