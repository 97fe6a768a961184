"""Calibration: mentions and gold brought together, curves that are right and never flatter."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.base.curves import Curve, logit
from deixis.errors import DataError, SettingsError
from deixis.evaluation.calibrated_stack import calibrated_stack
from deixis.evaluation.calibration import FEWEST, calibrate, crossed, curves, fitted, reliability
from deixis.evaluation.judgements import JudgedRow, Judgement, collect
from deixis.rows import Row
from deixis.settings import Settings


def stated(
    count: int, a: float, b: float, kind: str = "PER", judge: str = "evidence", seed: int = 0
) -> list[Judgement]:
    """Return verdicts whose probabilities are worth what the curve of `a` and `b` says."""
    draws = np.random.default_rng(seed)
    curve, found = Curve(a=a, b=b), []
    for number, probability in enumerate(draws.uniform(0.02, 0.98, count)):
        shown = bool(draws.random() < curve.of(probability))
        verdict = float(probability), bool(probability >= 0.5), shown
        found.append(Judgement(f"{kind}{number // 2}", judge, kind, *verdict))
    return found


def test_a_curve_is_found_again() -> None:
    own = stated(4000, 0.5, -1.0)
    part = calibrate(own)[0]
    assert part.curve is not None and part.after is not None
    assert (part.curve.a, part.curve.b) == (pytest.approx(0.5, abs=0.1), pytest.approx(-1, abs=0.1))
    assert part.curve.threshold == pytest.approx(0.5, abs=0.1), "on a right curve half is half"
    assert part.before.error > 0.15 and part.after.error < 0.04
    assert part.after.accuracy > part.before.accuracy


def test_what_is_calibrated_stays() -> None:
    part = calibrate(stated(4000, 1.0, 0.0))[0]
    assert part.curve is not None and part.curve.a == pytest.approx(1.0, abs=0.1)
    assert part.curve.b == pytest.approx(0.0, abs=0.1)


def test_every_judge_and_type_has_its_own() -> None:
    own = [*stated(300, 0.5, -1), *stated(300, 2, 1, "LOC"), *stated(300, 1, 2, judge="m")]
    found = curves(calibrate(own))
    assert {judge: sorted(each) for judge, each in found.items()} == {
        "evidence": ["*", "LOC", "PER"],
        "m": ["*", "PER"],
    }
    assert found["evidence"]["PER"].b < 0 < found["evidence"]["LOC"].b


@pytest.mark.parametrize("alike", [True, False])
def test_a_type_with_too_little_has_the_curve_of_all(alike: bool) -> None:
    few = stated(200 if alike else FEWEST - 1, 1, 0, "LOC")
    few = [each._replace(shown=True) for each in few] if alike else few
    parts = {part.type: part for part in calibrate([*stated(300, 1, 0), *few])}
    assert parts["LOC"].curve == parts["*"].curve and not parts["LOC"].own
    assert parts["LOC"].after is not None, "measured on the curve of all, cross-validated"
    assert set(curves(parts.values())["evidence"]) == {"*", "PER"}


def test_too_little_of_all_types_gives_no_curve() -> None:
    parts = calibrate(stated(FEWEST - 1, 1, 0))
    assert [(part.curve, part.after) for part in parts] == [(None, None)] * 2
    assert curves(parts) == {}


def test_what_is_measured_after_is_of_rows_that_were_left_out() -> None:
    """A fold whose mentions are unlike all others is judged by a curve that knows none of it."""
    probabilities = np.full(60, 0.5)
    fold = np.arange(60) // 30
    shown = fold == 0
    worth, said = crossed(probabilities, shown, fold)
    assert not (said == shown).any(), "each half foretells the other"
    assert worth[0] < 0.2 < 0.8 < worth[-1]


def test_a_threshold_moves_for_more_than_chance_alone() -> None:
    draws = np.random.default_rng(7)
    probabilities = draws.uniform(0.02, 0.98, 300)
    assert fitted(probabilities, draws.random(300) < probabilities).threshold == 0.5
    # No curve follows this, and 0.5 would be wrong of the first and the second.
    levels = np.repeat([0.2, 0.6, 0.9], 200)
    hidden = np.concatenate([np.arange(200) < 110, np.arange(200) < 20, np.arange(200) < 190])
    assert fitted(levels, hidden).threshold != 0.5


def test_a_curve_never_turns_the_order_around() -> None:
    probabilities = np.linspace(0.05, 0.95, 60)
    assert fitted(probabilities, probabilities < 0.5).a == 0


def test_the_error_is_that_of_the_parts() -> None:
    probability = np.array([0.05, 0.05, 0.95, 1.0])
    measured = reliability(probability, probability > 0.5, np.array([False, True, True, True]))
    assert measured.bins == ((2, pytest.approx(0.05), 0.5), (2, pytest.approx(0.975), 1.0))
    assert measured.error == pytest.approx((0.45 + 0.025) / 2) and measured.accuracy == 0.75


def entity(text: str, start: int | None, outcome: str | None = "yes", **more: Any) -> Any:
    decided = {"step": "entail", "subject": "groundable", "outcome": outcome, "model": "m"}
    decided |= {"confidence": 0.8, **more}
    place = {} if start is None else {"start": start, "end": start + len(text)}
    return {"text": text, "type": "PER", "regions": [], "decisions": [decided], **place}


def judged(*entities: Any) -> JudgedRow:
    return JudgedRow.model_validate({"id": "a", "entities": entities})


def gold(*given: tuple[str, int | None, bool | None]) -> Row:
    seen = {True: [{"box": [0, 0, 9, 9]}], False: [], None: None}
    own = [{**entity(text, start), "regions": seen[shown]} for text, start, shown in given]
    return Row.model_validate({"id": "a", "entities": own})


def test_mentions_meet_their_gold_by_text_and_place() -> None:
    row = judged(entity("Ann", 10), entity("Ann", 0, "no"), entity("Bob", None))
    wanted = gold(("Ann", 0, True), ("Ann", 10, False), ("Bob", 20, True))
    found = collect([wanted], [row])
    assert [each.shown for each in found.judgements] == [False, True, True]
    assert [each.stated for each in found.judgements] == pytest.approx([0.8, 0.2, 0.8])
    assert list(found.oddities()) == []


def test_what_counts_nowhere_is_told() -> None:
    row = judged(
        entity("Ann", 0, None),
        entity("Bob", 4, confidence=None),
        entity("Bo", 8),
        entity("Eve", 12),
        {**entity("Ida", 16), "decisions": []},
        entity("Kim", 24),
    )
    wanted = gold(("Ann", 0, True), ("Bob", 4, True), ("Eve", 12, None), ("Kim", 20, True))
    found = collect([wanted], [row])
    assert found.judgements == []
    assert (found.unjudged, found.without_probability, found.without_gold) == (2, 1, 3)
    assert len(list(found.oddities())) == 3
    with pytest.raises(DataError, match="'a' is not in the gold"):
        collect([], [row])


STACK = """
# a comment
schema: my-types.yaml
roles: {recognizer: crf, detector: none}
options: {prompts: prompts, calibration: {m: {"*": {a: 1, b: 1}}, evidence: {PER: {a: 9, b: 9}}}}
"""
TYPES = "name: mine\ntypes: [{name: PER, description: a person, crf: PER}]\n"


def test_a_stack_is_copied_with_the_curves(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "stack.yaml").write_text(STACK)
    (tmp_path / "mine" / "my-types.yaml").write_text(TYPES)
    out = tmp_path / "new.yaml"
    found = {"evidence": {"*": Curve(a=0.5, b=-1, threshold=0.4)}}
    out.write_text(calibrated_stack(str(tmp_path / "mine" / "stack.yaml"), found, out))
    settings = Settings.load(out)
    assert settings.options.calibration == {"m": {"*": Curve(a=1, b=1)}, **found}
    assert settings.type_schema.name == "mine"
    assert settings.options.prompts == tmp_path / "mine" / "prompts"
    with pytest.raises(SettingsError, match=r"does not have the type 'PERS'.*did you mean 'PER'"):
        calibrated_stack(str(out), {"evidence": {"PERS": Curve(a=1, b=0)}}, out)


def test_a_shipped_stack_can_be_copied(tmp_path: Path) -> None:
    out = tmp_path / "new.yaml"
    out.write_text(calibrated_stack("starter", {"evidence": {"LOC": Curve(a=1, b=0)}}, out))
    starter, copy = Settings.load("starter"), Settings.load(out)
    assert copy.roles == starter.roles and copy.graph_options == starter.graph_options
    assert json.loads(copy.model_dump_json())["options"]["calibration"]["evidence"]["LOC"] == {
        "a": 1.0,
        "b": 0.0,
        "threshold": 0.5,
    }
    assert logit(copy.options.calibration["evidence"]["LOC"].of(0.3)) == pytest.approx(logit(0.3))
