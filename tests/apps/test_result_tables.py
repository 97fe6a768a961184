"""Results in the terminal: where entities are in every medium, relations, events."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from deixis.apps import result_tables
from deixis.schema import Entity, Extraction, ImageInfo, Region
from tests.show.filmed import filmed
from tests.show.heard import heard
from tests.show.told import told


def shown(extraction: Extraction) -> str:
    console = Console(width=140, record=True, file=io.StringIO())
    for table in result_tables.tables(extraction, "a title"):
        console.print(table)
    return console.export_text()


def test_relations_and_events_have_tables() -> None:
    said = shown(told())
    lines = [
        " ".join(line.replace("│", " ").replace("┃", " ").split()) for line in said.split("\n")
    ]
    assert "<works> for Ann <b>Lee</b> NASA 0.50 <said> so" in lines
    assert "Contact.<Meet> met person: Ann <b>Lee</b> 0.62 <said> so" in lines
    assert "<role>: the <i>dog" in lines and "visible?" in said
    assert len(result_tables.tables(told(), "")) == 3
    assert len(result_tables.tables(told(events=[]), "")) == 2
    assert len(result_tables.tables(told(events=[], relations=[]), "")) == 1


def test_markup_in_names_is_text() -> None:
    bold = told().entities[0].model_copy(update={"text": "[red]A[/]", "start": None, "end": None})
    entities = [bold, *told().entities[1:]]
    assert shown(told().model_copy(update={"entities": entities})).count("[red]A[/]") == 5


def test_times_and_frames_say_where(tmp_path: Path) -> None:
    said = shown(heard(tmp_path / "a.wav"))
    assert "0:01.50 to 0:03.40" in said and "found?" in said
    assert "0:03.50 to 0:03.90" in said, "the trigger"
    seen = filmed()
    assert result_tables.where(seen.entities[0]) == "20 frames, 0:00.00 to 0:03.80"
    one = seen.entities[0].model_copy(update={"track": seen.entities[0].track[:1]})
    assert result_tables.where(one) == "1 frame, 0:00.00 to 0:00.00"


@pytest.mark.parametrize(
    ("pictures", "said"),
    [((0,), "1, 2, 11, 12"), ((0, 1), "picture 1: 1, 2, 11, 12\npicture 2: 1, 2, 11, 12")],
)
def test_boxes_say_in_which_of_several_pictures(pictures: tuple[int, ...], said: str) -> None:
    regions = [Region(box=(1, 2, 11, 12), score=1, source="x", image=i) for i in pictures]
    entity = Entity(
        id="e1",
        text="A",
        start=None,
        end=None,
        type="x",
        confidence=1,
        groundable=True,
        regions=regions,
    )
    assert result_tables.where(entity) == said
    info = ImageInfo(sha256="", width=20, height=20, source="a.png")
    many = Extraction(text="", image=info, images=[info] * 2, entities=[entity])
    assert "visible?" in shown(many)
