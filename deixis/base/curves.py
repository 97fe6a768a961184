"""Platt curves: what a stated probability is worth, as it came out on rows with gold.

Platt, "Probabilistic Outputs for Support Vector Machines" (1999): the odds that were stated are
raised to a power and multiplied, ``sigmoid(a * logit(p) + b)``; ``a = 1, b = 0`` leaves them.
"""

import math
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_MOST = 0.001
"""How near to 0 or 1 a stated probability counts: nobody is as sure as that."""
Finite = Annotated[float, Field(allow_inf_nan=False)]


def logit(probability: float) -> float:
    """Return the natural logarithm of the odds of a probability, 0..1, within +-6.9."""
    kept = min(max(probability, _MOST), 1.0 - _MOST)
    return math.log(kept / (1.0 - kept))


class Curve(BaseModel):
    """A curve, and the least probability on it at which a mention counts as shown.

    ``a`` is not negative: who is surer is never taken for less likely to be right.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    a: Finite = Field(ge=0.0)
    b: Finite
    threshold: float = Field(default=0.5, gt=0.0, lt=1.0)

    def of(self, probability: float) -> float:
        """Return what a stated probability, 0..1, is worth."""
        exponent = min(max(self.a * logit(probability) + self.b, -700.0), 700.0)
        return 1.0 / (1.0 + math.exp(-exponent))
