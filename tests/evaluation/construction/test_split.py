"""Rows split at random, the same way each time."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import InputError
from deixis.evaluation.construction.samples import Sample
from deixis.evaluation.construction.split import parts_of, split
from deixis.rows import Row

PAPER = {"train": 7, "test": 3}


def some(number: int, *, back: bool = False) -> list[Sample]:
    samples = [Sample(n, Row(id=str(n)), {"id": str(n)}, None) for n in range(number)]
    return samples[::-1] if back else samples


def ids(parts: dict[str, list[Sample]]) -> dict[str, set[str]]:
    return {name: {sample.row.id for sample in own} for name, own in parts.items()}


@given(st.integers(0, 60), st.integers(0, 3), st.lists(st.floats(0.1, 9), min_size=2, max_size=4))
def test_every_row_is_in_one_part(number: int, seed: int, weights: list[float]) -> None:
    names = {str(place): weight for place, weight in enumerate(weights)}
    found = split(some(number), names, seed)
    assert sorted(sample.line for own in found.values() for sample in own) == list(range(number))
    for name, own in found.items():
        assert abs(len(own) - number * names[name] / sum(weights)) <= 1
        assert [sample.line for sample in own] == sorted(sample.line for sample in own)


def test_the_order_of_the_file_changes_nothing_and_the_seed_does() -> None:
    found = ids(split(some(5533), PAPER))
    assert {name: len(own) for name, own in found.items()} == {"train": 3873, "test": 1660}
    assert found == ids(split(some(5533, back=True), PAPER))
    assert found != ids(split(some(5533), PAPER, seed=1))


def test_parts_as_they_are_written() -> None:
    assert parts_of("train=7, test=3") == PAPER
    assert parts_of("a=1,b=0.5,c=2") == {"a": 1, "b": 0.5, "c": 2}
    for wrong in ("train", "train=7,train=3", "a=1,b=-1", "a/b=1,c=1", ""):
        with pytest.raises(InputError, match="parts are NAME=WEIGHT"):
            parts_of(wrong)


@pytest.mark.parametrize("parts", [{"train": 1}, {"a": 1, "b": 0}])
def test_a_split_has_two_parts(parts: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="two parts or more"):
        split(some(3), parts)
