"""Values that authors wrote with Python's ``str``, read without running anything."""

import ast
import json
import warnings
from typing import Any

LONGEST = 1_000_000
"""Characters of a value: a longer one is none that a tweet has."""


def value_of(text: str) -> Any:
    """Read JSON, or else a Python literal.

    Raises:
        ValueError: it is neither.
    """
    if len(text) > LONGEST:
        raise ValueError(f"more than {LONGEST} characters")
    try:
        return json.loads(text)
    except ValueError:
        pass
    except RecursionError:
        raise ValueError("nested too deeply") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes
            return ast.literal_eval(text)
    except (SyntaxError, MemoryError, RecursionError, TypeError, ValueError):
        raise ValueError("neither JSON nor a Python literal") from None
