"""One question that is asked of the cache, and how it is kept and found again."""

from deixis.llms.cache.llm_cache import Answer, LlmCache, Request
from deixis.llms.cache.records import identify

REQUEST = Request("openai:gpt-5-mini?temperature=0&seed=1", "You see.", "What?", {}, ("ab",))


def get(cache: LlmCache, says: str, request: Request = REQUEST) -> tuple[str, bool]:
    """Return what comes for a question, and whether it was there without being asked."""
    asked: list[str] = []

    def ask() -> str:
        asked.append(says)
        return says

    answer = cache.get_or_ask(
        request, ask, keep=lambda text: Answer(text, 7, 3), revive=lambda answer: answer.text
    )
    return answer, not asked


def cache_key(request: Request) -> str:
    return identify(request)[0]
