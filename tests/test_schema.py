"""The records that come out: what they promise, they hold."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from deixis.schema import Entity, Extraction, ImageInfo, Mask, Notice, Region, Usage

TEXT = "Grace Hopper flew 🚀"


def region(box: Any = (1.0, 2.0, 3.0, 4.0), **changes: Any) -> dict[str, Any]:
    return {"box": box, "score": 0.5, "source": "test", **changes}


def entity(**changes: Any) -> dict[str, Any]:
    plain = {
        "id": "e1",
        "text": "Grace Hopper",
        "start": 0,
        "end": 12,
        "type": "PER",
        "confidence": 0.9,
    }
    return {**plain, **changes}


def extraction(**changes: Any) -> dict[str, Any]:
    image = {"sha256": "00", "width": 40, "height": 30, "source": "bytes"}
    shown = entity(groundable=True, regions=[region()])
    return {"text": TEXT, "image": image, "entities": [shown], **changes}


def mask(height: int, width: int) -> dict[str, Any]:
    return Mask.from_array(np.ones((height, width), dtype=np.bool_)).model_dump()


@pytest.mark.parametrize("shown", [True, False, None])
def test_regions_are_there_if_and_only_if_an_entity_is_groundable(shown: bool | None) -> None:
    with_region = entity(groundable=shown, regions=[region()])
    without = entity(groundable=shown)
    right, wrong = (with_region, without) if shown else (without, with_region)
    assert Entity.model_validate(right).groundable is shown
    with pytest.raises(ValidationError, match="if, and only if, it is groundable"):
        Entity.model_validate(wrong)


@pytest.mark.parametrize(
    "changes",
    [
        {"end": 11},
        {"start": 1},
        {"start": 12, "end": 0},
        {"text": "", "end": 0},
        {"start": -12, "end": 0},
    ],
)
def test_a_span_fits_its_text(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Entity.model_validate(entity(**changes))


@pytest.mark.parametrize(
    "box",
    [
        (3, 2, 3, 4),
        (1, 4, 3, 4),
        (3, 2, 1, 4),
        (1, 4, 3, 2),
        (-1, 2, 3, 4),
        (1, -0.5, 3, 4),
        (float("nan"), 2, 3, 4),
        (1, 2, float("nan"), 4),
        (1, 2, float("inf"), 4),
        (1, 2, 3),
        (1, 2, 3, 4, 5),
        (1, 2, "x", 4),
    ],
)
def test_a_box_has_an_area_and_four_finite_numbers(box: Any) -> None:
    with pytest.raises(ValidationError):
        Region.model_validate(region(box))


def test_a_box_that_fills_the_picture_is_inside() -> None:
    shown = entity(groundable=True, regions=[region((0, 0, 40, 30), mask=mask(30, 40))])
    (found,) = Extraction.model_validate(extraction(entities=[shown])).entities
    assert found.regions[0].box == (0, 0, 40, 30)
    assert found.regions[0].mask is not None
    assert found.regions[0].mask.to_array().shape == (30, 40)


@pytest.mark.parametrize("box", [(0, 0, 40.01, 30), (0, 0, 40, 30.01), (50, 50, 60, 60)])
def test_a_box_outside_the_picture_is_refused(box: Any) -> None:
    shown = entity(groundable=True, regions=[region(box)])
    with pytest.raises(ValidationError, match="of entity e1 leaves the picture"):
        Extraction.model_validate(extraction(entities=[shown]))


@pytest.mark.parametrize("size", [(40, 30), (29, 40), (60, 80)])
def test_a_mask_has_the_size_of_the_picture(size: tuple[int, int]) -> None:
    shown = entity(groundable=True, regions=[region(mask=mask(*size))])
    with pytest.raises(ValidationError, match="the mask of entity e1 has size"):
        Extraction.model_validate(extraction(entities=[shown]))


def test_a_region_needs_a_picture() -> None:
    with pytest.raises(ValidationError, match="there is no picture"):
        Extraction.model_validate(extraction(image=None))
    assert Extraction.model_validate(extraction(image=None, entities=[entity()])).image is None


@pytest.mark.parametrize("text", ["Rear Admiral Grace Hopper", "grace hopper flew", "Grace"])
def test_an_entity_is_at_its_span_in_the_text(text: str) -> None:
    with pytest.raises(ValidationError, match="entity e1 is not at its span"):
        Extraction.model_validate(extraction(text=text))


def test_offsets_count_characters_not_bytes() -> None:
    rocket = entity(text="🚀", start=18, end=19)
    assert Extraction.model_validate(extraction(entities=[rocket])).entities[0].text == "🚀"


@pytest.mark.parametrize("score", [-0.01, 1.01, float("nan"), float("inf"), None])
def test_scores_and_confidences_run_from_0_to_1(score: Any) -> None:
    with pytest.raises(ValidationError):
        Region.model_validate(region(score=score))
    with pytest.raises(ValidationError):
        Entity.model_validate(entity(confidence=score))


@pytest.mark.parametrize(
    ("record", "data"),
    [
        (Extraction, extraction(entitys=[])),
        (Entity, entity(label="x")),
        (Region, region(label="x")),
        (ImageInfo, {"sha256": "", "width": 1, "height": 1, "source": "", "depth": 3}),
        (Usage, {"role": "voter", "model": "m", "price": 1}),
    ],
)
def test_an_unknown_key_is_an_error(record: Any, data: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        record.model_validate(data)


def test_a_notice_that_was_written_without_a_kind_degraded_something() -> None:
    assert Notice.model_validate({"step": "vote", "message": "x"}).kind == "degraded"
    with pytest.raises(ValidationError):
        Notice.model_validate({"step": "vote", "message": "x", "kind": "other"})


def test_lists_of_one_record_are_not_those_of_another() -> None:
    first, second = Entity.model_validate(entity()), Entity.model_validate(entity())
    first.knowledge.attributes.append(None)  # type: ignore[arg-type]
    first.decisions.append(None)  # type: ignore[arg-type]
    assert second.knowledge.attributes == [] and second.decisions == []


PROPORTION = st.floats(0, 1)


@given(
    score=PROPORTION,
    left=st.floats(0, 30),
    width=st.floats(0.1, 10),
    summary=st.none() | st.text(st.characters(exclude_categories=["Cs"])),
    shown=st.sampled_from([True, False, None]),
)
def test_an_extraction_round_trips_through_json(
    score: float, left: float, width: float, summary: str | None, shown: bool | None
) -> None:
    box = (left, left / 2, left + width, left / 2 + width)
    found = entity(
        groundable=shown,
        regions=[region(box, score=score, mask=mask(30, 40))] if shown else [],
        confidence=score,
        knowledge={
            "attributes": [{"name": "age", "value": "old", "votes": 2, "agreement": score}],
            "summary": summary,
        },
        decisions=[
            {"step": "vote", "subject": "age", "outcome": None, "evidence": [summary or ""]}
        ],
    )
    result = Extraction.model_validate(
        extraction(
            entities=[found],
            caption=summary,
            usage=[{"role": "voter", "model": "m", "calls": 1, "seconds": score}],
            warnings=[{"step": "open", "message": "m"}],
        )
    )
    assert Extraction.model_validate_json(result.model_dump_json()) == result
    plain = result.model_dump(mode="json")
    assert Extraction.model_validate(json.loads(json.dumps(plain))) == result


def test_why_says_each_reason_once_and_the_last_word_first() -> None:
    def decided(step: str, subject: str, *evidence: str) -> dict[str, Any]:
        return {"step": step, "subject": subject, "outcome": "x", "evidence": list(evidence)}

    decisions = [
        decided("recognize", "type", "never said"),
        decided("entail", "groundable", "a face", "a name"),
        decided("ground", "box", "the only one", "a face"),
    ]
    assert Entity.model_validate(entity(decisions=decisions)).why() == [
        "the only one",
        "a face",
        "a name",
    ]


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("é.png", "é.png"),
        ("\udcc3\udca9.png", "é.png"),
        ("\udcff\ud800", "??"),
        ("\udcff", "\ufffd"),
        ("http://me:S3CRET@host/a.png?sig=S3CRET", "http://***@host/a.png?sig=***"),
    ],
)
def test_the_name_of_a_picture_can_be_written(source: str, kept: str) -> None:
    image = ImageInfo(sha256="0", width=1, height=1, source=source)
    assert image.source == kept and ImageInfo.model_validate_json(image.model_dump_json()) == image
