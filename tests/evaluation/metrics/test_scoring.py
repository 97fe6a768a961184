"""Whole reports by hand: grounding, parts, baselines, the sweep, two files compared."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from deixis.errors import SettingsError
from deixis.evaluation.metrics.convention import convention
from deixis.evaluation.metrics.mner import Score
from deixis.evaluation.metrics.scoring import How, Report, compare_two, evaluate
from deixis.evaluation.metrics.tables import Grounding
from deixis.evaluation.metrics.tasks import task
from deixis.rows import Row

Post = Callable[..., Row]
W, HALF, MOST, FAR = "0,0,10,10", "0,0,5,10", "0,0,8,10", "50,50,60,60"
DEFAULT = convention("deixis")


def how(name: str = "gmner", **more: object) -> How:
    return How(task(name), DEFAULT, **more)  # type: ignore[arg-type]


@pytest.fixture
def files(post: Post) -> tuple[list[Row], list[Row]]:
    """Four posts: 5 groundable mentions of 8, of which 2 are found with the right box."""
    gold = [
        post("a", f"Ada PER {W}", "Rome LOC None"),
        post("b", f"Ada PER {W}", f"Bob PER {W}", f"Eve PER {W}"),
        post("c", "Rome LOC None", f"NASA ORG {W}", "UNO ORG None"),
        post("d"),
    ]
    predicted = [
        post("a", f"Ada PER {MOST}", f"Rome LOC {W}"),
        post("b", f"Ada PER {HALF}", "Bob PER None"),
        post("c", "Rome LOC None", f"NASA ORG {FAR}", "UNO LOC None"),
        post("d", "Elsewhere LOC None"),
    ]
    return gold, predicted


def test_score_and_baselines(files: tuple[list[Row], list[Row]]) -> None:
    report = evaluate(*files, how())
    # Right: Ada in a (0.8) and b (0.5), Rome in c.
    assert report.all.score == Score(3, 8, 8)
    # Nothing called visible: Rome in a and in c; with gold names UNO too.
    assert report.all.names_and_none == Score(2, 8, 8)
    assert report.all.gold_and_none == Score(3, 8, 8)
    assert report.parts == {}
    names = evaluate(*files, how("mner"))
    assert names.all.score == Score(6, 8, 8)
    assert names.all.names_and_none is names.all.gold_and_none is None
    assert names.grounding is names.all.sweep is None
    assert evaluate(*files, how("eeg")).all.score == Score(4, 8, 8)


def test_grounding(files: tuple[list[Row], list[Row]]) -> None:
    # Pairs by name and type: Ada 0.8, Rome (box said), Ada 0.5, Bob (none said), Rome, NASA 0.
    assert evaluate(*files, how()).grounding == Grounding(
        accuracy={0.5: 2 / 5, 0.75: 1 / 5},
        mean_iou=pytest.approx(1.3 / 5),
        entailment=4 / 6,
        precision=2 / 3,
    )
    strict = replace(how(), convention=replace(DEFAULT, strict=True))
    found = evaluate(*files, strict).grounding
    assert found is not None and found.accuracy == {0.5: 1 / 5, 0.75: 1 / 5}
    assert found.precision == 1 / 3


def test_grounding_pairs_those_that_agree_on_seeing(post: Post) -> None:
    gold = [post("a", f"Ada PER {W}", "Ada PER None", f"Ada PER {FAR}")]
    said = [post("a", "Ada PER None", f"Ada PER {FAR}", f"Ada PER {HALF}")]
    found = evaluate(gold, said, how()).grounding
    assert found == Grounding({0.5: 1.0, 0.75: 0.5}, 0.75, 1.0, 1.0)
    nothing = evaluate(gold, [], how()).grounding
    assert nothing == Grounding({0.5: 0.0, 0.75: 0.0}, 0.0, 0.0, 0.0)


def test_sweep(files: tuple[list[Row], list[Row]]) -> None:
    sweep = evaluate(*files, how(threshold=0.9)).all.sweep
    assert sweep is not None and list(sweep) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert [each.correct for each in sweep.values()] == [3, 3, 3, 3, 3, 2, 2, 2, 1, 1]
    assert {each[1:] for each in sweep.values()} == {(8, 8)}
    assert evaluate(*files, how(threshold=0.9)).all.score.correct == 1


def test_sweep_of_each_type(files: tuple[list[Row], list[Row]]) -> None:
    found = evaluate(*files, how(), "type").parts
    sweeps = {
        name: [s.correct for s in (each.sweep or {}).values()] for name, each in found.items()
    }
    assert sweeps == {
        "LOC": [1] * 10,
        "ORG": [0] * 10,
        "PER": [2, 2, 2, 2, 2, 1, 1, 1, 0, 0],
    }
    document = evaluate(*files, how(), "type").document()
    assert document["parts"]["PER"]["sweep"]["0.6"]["correct"] == 1


def test_visible_is_the_name_and_whether_it_can_be_seen(
    files: tuple[list[Row], list[Row]],
) -> None:
    report = evaluate(*files, how("visible"), "groundable")
    # Right: Ada in a and b, Rome in c, NASA (wherever it is), UNO (whatever its type is).
    assert report.all.score == Score(5, 8, 8)
    assert report.parts["groundable"].score == Score(3, 4, 5)
    assert report.grounding is report.all.sweep is None
    assert report.all.gold_and_none == Score(3, 8, 8)
    assert report.document()["iou"] is None


@pytest.mark.parametrize("name", ["entailment", "grounding", "mmre", "muie"])
def test_tasks_with_measures_of_their_own(files: tuple[list[Row], list[Row]], name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} has measures of its own"):
        evaluate(*files, how(name))


def counts(report: Report) -> dict[str, tuple[Score, Score | None, Score | None]]:
    return {
        name: (each.score, each.names_and_none, each.gold_and_none)
        for name, each in report.parts.items()
    }


def test_by_type(files: tuple[list[Row], list[Row]]) -> None:
    assert counts(evaluate(*files, how(), "type")) == {
        "LOC": (Score(1, 4, 2), Score(2, 4, 2), Score(2, 2, 2)),
        "ORG": (Score(0, 1, 2), Score(0, 1, 2), Score(1, 2, 2)),
        "PER": (Score(2, 3, 4), Score(0, 3, 4), Score(0, 4, 4)),
    }


def test_by_groundable(files: tuple[list[Row], list[Row]]) -> None:
    assert counts(evaluate(*files, how(), "groundable")) == {
        "groundable": (Score(2, 4, 5), Score(0, 0, 5), Score(0, 0, 5)),
        "ungroundable": (Score(1, 4, 3), Score(2, 8, 3), Score(3, 8, 3)),
    }
    with pytest.raises(SettingsError, match="mner scores no regions"):
        evaluate(*files, how("mner"), "groundable")


def test_by_entities(files: tuple[list[Row], list[Row]]) -> None:
    found = evaluate(*files, how(), "entities").parts
    assert {name: each.score for name, each in found.items()} == {
        "0": Score(0, 1, 0),
        "1": Score(0, 0, 0),
        "2": Score(1, 2, 2),
        "3": Score(2, 5, 6),
        "4": Score(0, 0, 0),
        "5 or more": Score(0, 0, 0),
    }
    with pytest.raises(SettingsError, match="no breakdown 'size'; known: type, groundable"):
        evaluate(*files, how(), "size")


def test_a_type_that_is_only_said_has_baselines_too(post: Post) -> None:
    gold, said = [post("a", "Ada PER None")], [post("a", "Ada ORG None")]
    assert counts(evaluate(gold, said, how(), "type")) == {
        "ORG": (Score(0, 1, 0), Score(0, 1, 0), Score(0, 0, 0)),
        "PER": (Score(0, 0, 1), Score(0, 0, 1), Score(1, 1, 1)),
    }


def test_document_is_plain_data_and_repeats(files: tuple[list[Row], list[Row]]) -> None:
    first, second = (evaluate(*files, how(), "type").document() for _ in range(2))
    assert first == second == json.loads(json.dumps(first))
    low, high = first["score"]["interval"]["f1"]
    assert 0 <= low < first["score"]["f1"] == 3 / 8 < high <= 1
    assert first["convention"]["name"] == "deixis" and first["iou"] == 0.5
    assert first["score"]["baselines"]["gold_and_none"]["f1"] == 3 / 8
    other = evaluate(*files, how(seed=1), "type").document()
    assert (other["seed"], other["score"]["f1"]) == (1, 3 / 8)


def test_two_files_compared(files: tuple[list[Row], list[Row]]) -> None:
    gold, predicted = files
    found = compare_two(gold, predicted, gold, how())
    assert [each.score for each in found.entries] == [Score(3, 8, 8), Score(8, 8, 8)]
    assert found.difference.value.tolist() == [5 / 8, 5 / 8, 5 / 8]
    assert (found.won, found.lost) == (4, 0)
    assert (compare_two(gold, gold, predicted, how()).lost, found.document()["tied"]) == (4, 0)
    same = compare_two(gold, predicted, predicted, how())
    assert same.difference.p.tolist() == [1.0, 1.0, 1.0]
    assert (same.won, same.lost, same.document()["tied"]) == (0, 0, 4)
    assert found.document() == json.loads(json.dumps(found.document()))


@pytest.mark.parametrize("threshold", [0.0, -0.1, 1.1, float("nan")])
def test_thresholds_out_of_range(threshold: float) -> None:
    with pytest.raises(SettingsError, match="above 0 and up to 1"):
        how(threshold=threshold)


def test_no_rounds() -> None:
    with pytest.raises(SettingsError, match="at least one round"):
        how(rounds=0)
