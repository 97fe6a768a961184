"""Training data of RiVEG from what several models wrote."""

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import DataError
from deixis.formats import riveg
from deixis.formats.riveg_training import LACKS, read, training
from deixis.rows import Row
from deixis.schema import Extraction

TEXT = "Ann (B) of Acme in Rome"


def decided(subject: str, outcome: str | None, model: str | None) -> dict[str, Any]:
    return {"step": "expand", "subject": subject, "outcome": outcome, "model": model}


def entity(text: str, kind: str, *decisions: dict[str, Any]) -> dict[str, Any]:
    start = TEXT.index(text)
    return {
        "id": text,
        "text": text,
        "start": start,
        "end": start + len(text),
        "type": kind,
        "confidence": 1.0,
        "decisions": list(decisions),
    }


def reply(name: str, model: str, status: str = "ok", text: str = "") -> dict[str, Any]:
    return {
        "id": name,
        "role": "expander",
        "model": model,
        "prompt": "riveg/explain 1",
        "status": status,
        "finish_reason": "stop",
        "text": text,
    }


RESULT = {
    "text": TEXT,
    "image": None,
    "entities": [
        entity(
            "Ann (B)",
            "PER",
            decided("expression", "Ann (B) (PER) – a woman", "m0"),  # noqa: RUF001
            decided("expression 2", None, "m1"),
            decided("expression 3", "Ann (B) (PER) – a tall woman", "m2"),  # noqa: RUF001
        ),
        entity("Acme", "ORG", decided("expression", "Acme (ORG) – a company", None)),  # noqa: RUF001
    ],
    "replies": [
        reply("explain/1/1", "m0", "empty"),
        reply("explain/1/2", "m0", text="<think>Ann?</think> Ann is a person.\n"),
        reply("explain/2/1", "m1", "refused", "No."),
        reply("explain/3/1", "m2", text="Ann!"),
        reply("expand/1/1", "m0", text="a woman"),
    ],
}
GOLD = {
    "id": "17",
    "text": TEXT,
    "entities": [
        {
            **{key: RESULT["entities"][0][key] for key in ("text", "start", "end", "type")},
            "fine_type": "author",
            "regions": [{"box": [0, 0, 5, 5]}, {"box": [1, 2, 30, 40]}],
        },
        {"text": "Acme", "start": 11, "end": 15, "type": "ORG", "regions": []},
        {"text": "Rome", "start": 19, "end": 23, "type": "LOC", "regions": []},
    ],
}


def made(**gold: Any) -> Any:
    return training(Extraction.model_validate(RESULT), Row.model_validate({**GOLD, **gold}))


def test_every_model_that_wrote_knowledge_gives_a_row() -> None:
    rows = made().recognition
    assert [(each["model"], each["knowledge"]) for each in rows] == [
        ("m0", "Ann is a person."),
        ("m2", "Ann!"),
    ]
    assert rows[0]["id"] == "17" and rows[0]["text"] == TEXT
    assert rows[0]["entities"][0] == {"text": "Ann (B)", "start": 0, "end": 7, "type": "PER"}


def test_every_expression_of_a_model_gives_a_line_with_the_largest_box() -> None:
    """What no model wrote (the type's description) and what was not found gives none."""
    found = made()
    assert found.grounding == [
        "Imageid:17.jpg#0###Ann (B)(PER)###Ann (B)(PER)-a woman###2###&[1, 2, 30, 40]",
        "Imageid:17.jpg#2###Ann (B)(PER)###Ann (B)(PER)-a tall woman###2###&[1, 2, 30, 40]",
    ]
    assert found.missing == 2
    assert found.lacking == {LACKS[0]: 1, LACKS[2]: 1}
    (one, _), problems = riveg.parse("\n".join(found.grounding))
    assert (one.text, one.regions[0].box, problems) == ("Ann (B)", (1, 2, 30, 40), ())


def test_what_cannot_be_seen_has_no_box_and_what_nobody_looked_for_no_line() -> None:
    first = GOLD["entities"][0]
    assert made(entities=[{**first, "regions": []}]).grounding[0].endswith("a woman###0")
    unseen = made(entities=[{**first, "regions": None}])
    assert (unseen.grounding, unseen.lacking) == ([], {LACKS[1]: 1})
    assert made(entities=[{**first, "type": "ORG"}]).lacking == {LACKS[0]: 1}
    assert made(entities=[{**first, "start": 1, "end": 8}]).lacking == {LACKS[0]: 1}
    placeless = {key: first[key] for key in ("text", "type", "regions")}
    assert len(made(entities=[placeless]).grounding) == 2


def test_with_the_gold_mentions_as_input_every_gold_entity_has_a_line() -> None:
    """Then the result has an entity for each of them, with its span and type."""
    gold = GOLD["entities"]
    expressions = [
        decided("expression", f"{each['text']} ({each['type']}) – it", "m0")  # noqa: RUF001
        for each in gold
    ]
    result = {
        **RESULT,
        "entities": [
            entity(each["text"], each["type"], said)
            for each, said in zip(gold, expressions, strict=True)
        ],
    }
    found = training(Extraction.model_validate(result), Row.model_validate(GOLD))
    assert (len(found.grounding), found.missing) == (3, 0)
    lines = [f"{line}\n" for line in found.grounding]
    assert [line.split("###")[1] for line in lines] == ["Ann (B)(PER)", "Acme(ORG)", "Rome(LOC)"]


def test_what_the_lines_cannot_hold_is_missing() -> None:
    found = made(id="a/###b")
    assert found.grounding == []
    assert found.lacking == {LACKS[0]: 1, LACKS[2]: 1, LACKS[3]: 1}


def test_files(tmp_path: Path) -> None:
    gold, run = tmp_path / "gold.jsonl", tmp_path / "run.jsonl"
    gold.write_text(json.dumps(GOLD) + "\n")
    run.write_text(json.dumps({"id": "17", "settings": "abc", **RESULT}) + "\n")
    assert read(gold, run) == made()
    run.write_text(json.dumps({"id": "18", **RESULT}) + "\n")
    with pytest.raises(DataError, match=r"run.jsonl:1: there is no gold row with the id '18'"):
        read(gold, run)
    run.write_text(json.dumps({**RESULT}) + "\n")
    with pytest.raises(DataError, match=r"run.jsonl:1: there is no gold row with the id None"):
        read(gold, run)
    gold.write_text(json.dumps({"id": "17", "text": "Another post"}) + "\n")
    run.write_text(json.dumps({"id": "17", **RESULT}) + "\n")
    with pytest.raises(DataError, match=r"run.jsonl:1: its text is not that of the gold row '17'"):
        read(gold, run)
