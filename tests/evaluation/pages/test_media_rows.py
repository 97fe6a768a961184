"""Rows of sound, video and several pictures on the pages about results."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from deixis.evaluation.compare import compare_files
from deixis.evaluation.metrics.scoring import How
from deixis.evaluation.pages.compare_page import compare_page
from deixis.evaluation.pages.report import report_page
from deixis.evaluation.pages.shortened import ENTITIES, TEXT, shortened
from deixis.schema import Extraction, SpokenWord, Transcript
from tests.show.albums import album
from tests.show.filmed import filmed
from tests.show.heard import heard
from tests.show.told import told

Tags = Callable[[str], list[str]]


def write(path: Path, extractions: list[Extraction]) -> Path:
    rows = [
        {"id": f"r{i}", "settings": "s", **each.model_dump(mode="json")}
        for i, each in enumerate(extractions)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def posts(tmp_path: Path) -> list[Extraction]:
    sound = heard(tmp_path / "a <i>.wav")
    return [told(), album(tmp_path), sound, filmed()]


def test_the_report_shows_every_medium(
    tmp_path: Path, posts: list[Extraction], tags_of: Tags
) -> None:
    page = report_page(write(tmp_path / "out.jsonl", posts))
    tags = tags_of(page)
    assert tags.count("img") == 5, "a panel for each row, and the second picture of one"
    assert not {"script", "audio", "video", "button", "svg"} & set(tags)
    for said in (
        '<th scope="row">&lt;works&gt; for</th>',
        '<th scope="row">Contact.&lt;Meet&gt;</th>',
        "<bdi>Ann &lt;b&gt;Lee&lt;/b&gt; of the space agency",
        "Sound of 0:09.00: ",
        "a &lt;i&gt;.wav. Neither sound nor video is in this page.",
        "Video of 0:04.00, 40 frames: array. Neither",
        "<div>0:01.50 to 0:03.40</div>",
        "<div>20 frames, 0:00.00 to 0:03.80</div>",
        "Picture 2 with a box on each visible entity.",
        '<span class="badge"',
        ".badge {",
    ):
        assert said in page, said
    assert "<b>Lee" not in page and "<i>" not in page


def test_rows_of_one_picture_have_no_place_for_it(tmp_path: Path) -> None:
    bare = told(relations=[], events=[])
    page = report_page(write(tmp_path / "out.jsonl", [bare]))
    assert not any(word in page for word in ("badge", "Relations", "Neither sound", "Picture 2"))


def test_two_runs_side_by_side_show_relations_and_times(
    tmp_path: Path, posts: list[Extraction]
) -> None:
    one = write(tmp_path / "one.jsonl", posts)
    changed = [
        each.model_copy(
            update={
                "entities": [
                    entity.model_copy(update={"type": "other"}) for entity in each.entities
                ]
            }
        )
        for each in posts
    ]
    other = write(tmp_path / "other.jsonl", changed)
    page = compare_page(compare_files(one, other, How.named("muie"), None, None))
    assert page.count("&lt;works&gt; for</th>") == 2 and ".badge {" in page
    assert "<bdi>Ann &lt;b&gt;Lee" in page


def test_long_transcripts_and_many_relations_are_cut_and_counted() -> None:
    whole = told()
    words = [SpokenWord(text="word", start=i, end=i + 1, score=1) for i in range(TEXT)]
    relations = [whole.relations[0].model_copy(update={"id": f"r{i}"}) for i in range(ENTITIES + 5)]
    events = [whole.events[0].model_copy(update={"id": f"v{i}"}) for i in range(ENTITIES + 7)]
    large = whole.model_copy(
        update={
            "relations": relations,
            "events": events,
            "transcript": Transcript(words=words, source="x"),
        }
    )
    small, beyond = shortened(large)
    assert small.transcript is not None and len(small.transcript.text) < TEXT
    assert (len(small.relations), len(small.events)) == (ENTITIES, ENTITIES)
    assert beyond == "5 relations, 7 events, 16,000 words heard"
    assert shortened(small) == (small, "")
