"""What may be asked of language models, and what it costs: limits, prices, a budget."""

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limit(_Frozen):
    """What a provider lets one process do; None is no limit."""

    concurrency: int | None = Field(default=None, ge=1)
    requests_per_minute: int | None = Field(default=None, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)


class Price(_Frozen):
    """What a million tokens cost, in any currency: the same for all prices of a stack.

    Of the input, ``cached_input`` is for what the provider's own cache of prompts had,
    ``cache_write`` for what was put there at a price of its own; None is the price of input.

    ``batch``: what part of it a request costs that a batch of the provider has answered; half of
    it at OpenAI, Anthropic and Gemini.
    """

    input: float = Field(ge=0.0, allow_inf_nan=False)
    output: float = Field(ge=0.0, allow_inf_nan=False)
    cached_input: float | None = Field(default=None, ge=0.0, allow_inf_nan=False)
    cache_write: float | None = Field(default=None, ge=0.0, allow_inf_nan=False)
    batch: float = Field(default=0.5, ge=0.0, le=1.0)

    def of(self, given: int, written: int, cached: int = 0, stored: int = 0) -> float:
        """Return what a request costs.

        Args:
            given: all tokens of its input.
            written: tokens of its output.
            cached: those of the input that the provider's cache had.
            stored: those of the input that were put there.
        """
        read = self.input if self.cached_input is None else self.cached_input
        put = self.input if self.cache_write is None else self.cache_write
        paid = (given - cached - stored) * self.input + cached * read + stored * put
        return (paid + written * self.output) / 1_000_000


class Budget(_Frozen):
    """The most that one graph may ask, all its samples together; None is no limit."""

    calls: int | None = Field(default=None, ge=0)
    tokens: int | None = Field(default=None, ge=0)
