import json
from typing import Any

import pytest

from deixis.agents.context.patches import letter
from deixis.evaluation.datasets import convert
from deixis.evaluation.datasets.mmre import QUIRKS, MmreRow

TEXT = "IMGID:1\nAda\tB-PER\n\nIMGID:2\nTo\tO\nLondon\tB-LOC\n\nIMGID:3\nHello\tO\n\n"
OBJECT = (
    "<object><name>{}</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax>"
    "</bndbox></object>"
)
XML = f"<annotation>{OBJECT.format('Ada')}{OBJECT.format('ada')}</annotation>"


def lines(*records: dict[str, Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def test_summaries_join_the_rows_and_boxes_become_lettered_patches(release: Any) -> None:
    own = [
        {"letter": "b", "box": [0, 0, 9.5, 9], "entity": "London"},
        {"letter": "a", "box": [5, 5, 9, 9], "entity": None},
    ]
    folder = release(
        {
            "dev.txt": TEXT,
            "xml/1.xml": XML,
            "dev.summaries.jsonl": lines(
                {"id": "2", "summary": "A street.", "patches": own},
                {"id": "1", "summary": "A portrait."},
            ),
        }
    )
    rows, counts = convert("mmre", folder, "dev")
    assert [counts[quirk] for quirk in QUIRKS] == [1, 1, 4, 2]
    first, second = rows
    assert isinstance(first, MmreRow) and isinstance(second, MmreRow)
    assert (first.id, first.summary) == ("1", "A portrait.")
    assert [(p.letter, p.box, p.entity) for p in first.patches] == [
        ("a", (1, 2, 3, 4), "Ada"),
        ("b", (1, 2, 3, 4), None),
    ]
    assert [region.box for region in first.entities[0].regions or ()] == [(1, 2, 3, 4)]
    assert second.entities[0].regions == ()
    assert [(p.letter, p.entity) for p in second.patches] == [("b", "London"), ("a", None)]
    for row in rows:
        assert MmreRow.model_validate_json(row.model_dump_json(exclude_none=True)) == row


@pytest.mark.parametrize(
    ("number", "name"), [(0, "a"), (25, "z"), (26, "aa"), (27, "ab"), (701, "zz")]
)
def test_letters(number: int, name: str) -> None:
    assert letter(number) == name
