"""Two runs of MUIE side by side: relations, events and places in every medium."""

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import DataError
from deixis.evaluation.compare import compare_files
from deixis.evaluation.metrics.scoring import How
from deixis.evaluation.muie_mentions import as_mentions, overlap_of
from deixis.formats.muie_rows import MuieEntity, MuieRow

HOW = How.named("muie", rounds=20)


def thing(text: str = "Ann", **places: Any) -> MuieEntity:
    return MuieEntity.model_validate({"text": text, "type": "x", **places})


def region(x: float, image: int = 0) -> dict[str, Any]:
    return {"box": (x, 0, x + 10, 10), "image": image}


def frame(number: int, x: float) -> dict[str, Any]:
    return {"frame": number, "regions": [region(x)]}


@pytest.mark.parametrize(
    ("one", "other", "iou"),
    [
        (thing(), thing(), 1.0),
        (thing(regions=[region(0)]), thing(regions=[region(0), region(50)]), 1.0),
        (thing(regions=[region(0)]), thing(regions=[region(0, 1)]), 0.0),
        (thing(regions=[region(0)]), thing(regions=[]), None),
        (thing(spans=[(0, 2)]), thing(spans=[(1, 2)]), 0.5),
        (thing(spans=[(0, 2)]), thing(regions=[region(0)]), None),
        (thing(track=[frame(0, 0), frame(4, 40)]), thing(track=[frame(0, 0), frame(4, 40)]), 1.0),
        (thing(track=[frame(2, 20)]), thing(track=[frame(0, 0), frame(4, 40)]), 1.0),
        (thing(track=[frame(0, 0), frame(4, 40)]), thing(track=[frame(0, 0), frame(4, 80)]), 0.5),
        (
            thing(regions=[region(0)], spans=[(0, 2)]),
            thing(regions=[region(0)], spans=[(0, 1)]),
            0.5,
        ),
    ],
)
def test_the_lowest_of_the_media_counts(
    one: MuieEntity, other: MuieEntity, iou: float | None
) -> None:
    assert overlap_of(one, other) == iou


def row(**fields: Any) -> dict[str, Any]:
    entities = [{"text": name, "type": "entity", "regions": []} for name in ("Ann", "Rome")]
    return {"id": "1", "task": "re", "text": "Ann in Rome", "entities": entities, **fields}


def test_all_facts_become_mentions() -> None:
    event = {
        "type": "Move",
        "trigger": {"text": "went", "spans": [(0, 1)]},
        "arguments": [{"role": "Who", "entity": 0}],
    }
    relation = {"subject": 0, "type": "in", "object": 1}
    whole = as_mentions(MuieRow.model_validate(row(relations=[relation], events=[event])))
    assert [(entity.text, entity.type) for entity in whole.entities[2:]] == [
        ("Ann - Rome", "in"),
        ("went", "Move"),
        ("Ann (Who)", "Move"),
    ]
    assert whole.entities[3].spans == ((0, 1),)
    broken = MuieRow.model_validate(row(relations=[{**relation, "object": 2}]))
    with pytest.raises(DataError, match="row '1': a relation or an argument names an entity"):
        as_mentions(broken)


def written(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return path


def test_who_is_right_about_a_relation(tmp_path: Path) -> None:
    right, wrong = ([{"subject": 0, "type": kind, "object": 1}] for kind in ("lives in", "rules"))
    gold = written(tmp_path / "gold.jsonl", row(relations=right))
    usage = {"usage": [{"role": "vlm", "model": "m", "calls": 1, "cost": 0.5}], "warnings": []}
    one = written(tmp_path / "one.jsonl", row(relations=wrong, **usage))
    two = written(tmp_path / "two.jsonl", row(relations=right, **usage))
    found = compare_files(one, two, HOW, gold, None)
    (difference,) = found.agreement.rows[0].differences
    assert (difference.text, difference.right) == ("Ann - Rome", "second")
    assert difference.kinds == {"type": 1.0}
    assert [cost and cost.total.cost for cost in found.agreement.costs] == [0.5, 0.5]
    assert found.document(5) == json.loads(json.dumps(found.document(5)))
    # Without gold the two are compared all the same.
    assert compare_files(one, two, HOW, None, None).agreement.kinds["type"] == 1


def test_answers_are_compared_by_their_task(tmp_path: Path) -> None:
    right = [{"subject": 0, "type": "lives in", "object": 1}]
    gold = written(tmp_path / "gold.jsonl", row(relations=right))
    one, two = (
        written(tmp_path / f"{kind}.jsonl", {"id": "1", "answer": f"(Ann, {kind}, Rome)"})
        for kind in ("lives in", "rules")
    )
    found = compare_files(one, two, HOW, gold, "muie")
    (difference,) = found.agreement.rows[0].differences
    assert (difference.text, difference.right) == ("Ann - Rome", "first")


def test_places_in_sound_and_video_are_compared(tmp_path: Path) -> None:
    def spoken(**places: Any) -> dict[str, Any]:
        entity = {"text": "Ann", "type": "x", "regions": [], **places}
        return {"id": "1", "task": "ner", "entities": [entity]}

    one = written(tmp_path / "one.jsonl", spoken(spans=[(0, 1)], track=[frame(0, 0)]))
    late = written(tmp_path / "late.jsonl", spoken(spans=[(5, 6)], track=[frame(0, 0)]))
    mute = written(tmp_path / "mute.jsonl", spoken(track=[frame(0, 0)]))
    assert compare_files(one, one, HOW, None, None).agreement.same == 1
    assert compare_files(one, late, HOW, None, None).agreement.kinds["region"] == 1
    found = compare_files(one, mute, HOW, None, None)
    assert found.agreement.kinds["groundable"] == 1
    first = found.document(1)["disagreements"][0]["mentions"][0]["first"]
    assert first["spans"] == ((0, 1),) and "mask" not in str(first)
