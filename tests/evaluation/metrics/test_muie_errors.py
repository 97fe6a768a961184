"""Types of errors of MUIE, one by one."""

from collections import Counter
from typing import Any

import pytest

from deixis.evaluation.metrics.muie_errors import ERRORS, errors_by_row, errors_of
from deixis.formats.muie import parse_answer, row_of
from deixis.formats.muie_rows import MuieRow

TEXT = "Ann met Bo in Rome"
HERE, THERE, AWAY = ([{"box": (x, 0, x + 10, 10)}] for x in (0, 50, 200))


def thing(text: str, regions: Any = None, **rest: Any) -> dict[str, Any]:
    return {"text": text, "type": "x", "regions": regions, **rest}


def row(*entities: dict[str, Any], **fields: Any) -> MuieRow:
    whole = {"id": "1", "task": "ner", "text": TEXT, "entities": entities, **fields}
    return MuieRow.model_validate(whole)


GOLD = row(thing("Ann", HERE), thing("Bo", THERE), thing("Rome", []))


def errors(told: MuieRow, gold: MuieRow = GOLD) -> dict[str, int]:
    return dict(+errors_by_row([gold], [told])["1"])


def test_gold_has_no_errors() -> None:
    assert errors(GOLD) == {}
    nothing = row()
    assert set(errors_by_row([GOLD], [nothing])["1"]) <= set(ERRORS)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (row(thing("Ann", HERE), thing("Bo", THERE)), {"incomplete": 1}),
        (row(*3 * [thing("Ann", HERE)], thing("Bo", THERE), thing("Rome", [])), {"repetition": 2}),
        (
            row(thing("Ann", THERE), thing("Bo", HERE), thing("Rome", [])),
            {"wrong_match": 2},
        ),
        (row(thing("Ann", AWAY), thing("Bo", THERE), thing("Rome", [])), {}),
        (row(thing("Ann", []), thing("Bo"), thing("Rome", [])), {"missing_grounding": 2}),
        (row(thing("Ann", HERE), thing("Bo", THERE), thing("Rome", AWAY)), {"over_grounding": 1}),
        (
            row(thing("Ann", HERE), thing("Bo", THERE), thing("Rome", []), thing("sun", AWAY)),
            {"over_grounding": 1},
        ),
        (
            row(thing("Ann", HERE), thing("Bo", THERE), thing("Rome", []), thing("lady", HERE)),
            {"repetition": 1},
        ),
        (row(thing("Bo", THERE), thing("Rome", [])), {"incomplete": 1, "propagated": 1}),
    ],
)
def test_each_type(told: MuieRow, found: dict[str, int]) -> None:
    assert errors(told) == found


def test_a_relation_that_is_told_twice_is_a_repetition() -> None:
    relation = {"subject": 0, "type": "met", "object": 1}
    gold = row(thing("Ann"), thing("Bo"), task="re", relations=[relation])
    told = row(thing("Ann"), thing("Bo"), task="re", relations=[relation] * 3)
    assert errors(told, gold) == {"repetition": 2}


def test_media_count_on_their_own() -> None:
    track = [{"frame": 0, "regions": HERE}]
    gold = row(thing("Ann", HERE, spans=[(0, 1)], track=track))
    assert errors(row(thing("Ann")), gold) == {"missing_grounding": 3}
    assert errors(row(thing("Ann", HERE, spans=[(0, 1)], track=track)), gold) == {}


def test_where_nobody_looked_nothing_is_too_much() -> None:
    gold = row(thing("Ann", HERE), thing("Bo"))
    assert errors(row(thing("Ann", HERE), thing("Bo", AWAY)), gold) == {}
    assert errors(row(thing("Ann", spans=[(0, 1)]), thing("Bo")), gold) == {"missing_grounding": 1}


def test_answers_alone_are_asked_what_should_be_looked_for() -> None:
    answer = parse_answer("(Ann, x)(Rome<concept>, x)", "ner")
    found = errors_of(GOLD, row_of(answer, GOLD), placed=False)
    assert +found == Counter(missing_grounding=1, over_grounding=1, incomplete=1, propagated=1)
