"""A result with very many faults is refused at the first: a stranger may have made it."""

import pytest
from pydantic import ValidationError

from deixis.schema import Extraction


def test_a_list_is_refused_at_its_first_wrong_item() -> None:
    for name in ("entities", "relations", "events", "usage", "warnings", "replies"):
        given = {"text": "", "image": None, "entities": [], name: [5] * 1000}
        with pytest.raises(ValidationError) as refused:
            Extraction.model_validate(given)
        assert refused.value.error_count() == 1
