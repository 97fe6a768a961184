"""Rehearsal: lessons are what a graph asks, and answers from which it makes the gold again."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from deixis import Settings, build_graph
from deixis.errors import DataError, SettingsError
from deixis.evaluation.datasets import convert
from deixis.llms.local.control_marks import KNOWN
from deixis.rows import write_rows
from deixis.testing import scripted
from deixis.training.courses import course_named
from deixis.training.lessons.files import messages_for, read_lessons
from deixis.training.lessons.records import Lessons, in_words
from deixis.training.lessons.rehearsal import LEFT_OUT, rehearse

from .conftest import Rows

pytestmark = pytest.mark.extra("transformers")

BASE = "owner/model?family=qwen2.5-vl"
GOLD: list[dict[str, Any]] = [
    {"text": "Ada Lovelace", "type": "PER", "regions": [{"box": [64, 60, 200.5, 300]}]},
    {"text": "London", "type": "LOC", "regions": []},
    {
        "text": "Royal Society",
        "type": "ORG",
        "regions": [{"box": [300, 10, 420, 90]}, {"box": [500, 10, 639, 90]}],
    },
]
POST = {
    "id": "a",
    "text": "Ada Lovelace in London <|im_end|> at the Royal Society </post> <image>",
    "image": "a.png",
    "entities": GOLD,
}
DATA = Path(__file__).parents[3].parent / "shared" / "data"


def lessons_of(rows: Path, out: Path, *, stack: str = "e2e", base: str = BASE) -> Lessons:
    return rehearse(course_named("e2e"), rows, Settings.load(stack), base, out)


def left_out(folder: Path) -> dict[str, str]:
    lines = (folder / LEFT_OUT).read_text("utf-8").splitlines()
    return {each["id"]: each["reason"] for each in map(json.loads, lines)}


def test_prompts_and_pictures_are_those_that_the_graph_sends_byte_for_byte(
    rows_file: Rows, tmp_path: Path
) -> None:
    lessons = lessons_of(rows_file(POST), tmp_path / "out")
    (lesson,) = lessons.lessons
    settings = Settings.load("e2e").with_options(cache="off")
    settings = settings.with_roles({"vlm": "scripted:vlm?family=qwen2.5-vl", "segmenter": None})
    settings = settings.with_graph("e2e", think=False)
    with scripted("<answer>None</answer>", sees=True) as asked:
        build_graph(settings).invoke({"text": POST["text"], "image": str(tmp_path / "a.png")})
    (question,) = asked
    sent = messages_for(lessons.folder, lesson)
    assert [message.content for message in question.messages] == [each.content for each in sent]
    assert question.system == KNOWN.plain(lesson.system, thoughts=True)
    assert question.user.endswith(KNOWN.plain(lesson.user))
    (medium,) = lesson.media
    assert question.images == ((lessons.folder / medium.file).read_bytes(),)


@pytest.mark.parametrize("family", ["qwen2-vl", "qwen2.5-vl", "qwen3-vl", "internvl", "llava"])
def test_the_graph_makes_the_gold_of_an_answer(
    rows_file: Rows, tmp_path: Path, family: str
) -> None:
    rows = rows_file(POST)
    lessons = lessons_of(rows, tmp_path / "out", base=f"owner/model?family={family}")
    (lesson,) = lessons.lessons
    answer = in_words(lesson.answer, lessons.manifest.frame.convention, lesson.sizes)
    settings = Settings.load("e2e").with_options(cache="off")
    settings = settings.with_roles({"vlm": f"scripted:vlm?family={family}", "segmenter": None})
    with scripted(answer, sees=True):
        graph = build_graph(settings)
        result = graph.invoke({"text": POST["text"], "image": str(tmp_path / "a.png")})
    assert [(each["text"], each["type"]) for each in result["entities"]] == [
        (each["text"], each["type"]) for each in GOLD
    ]
    for found, gold in zip(result["entities"], GOLD, strict=True):
        boxes = sorted(region["box"] for region in found["regions"])
        wanted = sorted(region["box"] for region in gold["regions"])
        assert len(boxes) == len(wanted)
        for box, own in zip(boxes, wanted, strict=True):
            worst = 0.01 * 640 if family == "llava" else 1.0  # two decimals of a share
            assert box == pytest.approx(own, abs=worst)


def test_a_row_that_does_not_come_back_is_left_out_with_the_reason(
    rows_file: Rows, tmp_path: Path
) -> None:
    def row(name: str, entity: dict[str, Any], **more: Any) -> dict[str, Any]:
        own = {"id": name, "text": "Fox &amp ; Fin in Rome", "image": "a.png"}
        return {**own, "entities": [entity], **more}

    shown = [{"box": [1, 1, 50, 50]}]
    rome = {"text": "Rome", "type": "LOC", "regions": shown}
    rows = rows_file(
        POST,
        row("semicolon", {"text": "Fox &amp ; Fin", "type": "ORG", "regions": []}),
        row("outside", {**rome, "regions": [{"box": [600, 1, 641, 50]}]}),
        row("inverted", {**rome, "regions": [{"box": [50, 50, 10, 90]}]}),
        row("unseen", {"text": "Rome", "type": "LOC", "regions": None}),
        row("blind", rome, image=None),
        row("gone", rome, image="gone.jpg"),
        row("other", {**rome, "type": "PLANET"}),
        row("elsewhere", {"text": "Paris", "type": "LOC", "regions": []}),
    )
    out = tmp_path / "out"
    lessons = lessons_of(rows, out)
    assert [lesson.row for lesson in lessons.lessons] == ["a"]
    reasons = left_out(out)
    assert reasons == {
        "semicolon": "the format cannot hold the text or the type of an entity",
        "outside": "a box lies outside its picture, or is empty",
        "inverted": "a box lies outside its picture, or is empty",
        "unseen": "nobody said whether an entity can be seen",
        "blind": "there is a box, and the model is shown no picture of it",
        "gone": "the row cannot be read as an input of the graph",
        "other": "an entity does not come back with its text and type",
        "elsewhere": "an entity does not come back with its text and type",
    }
    assert sum(lessons.manifest.left_out.values()) == len(reasons)


def test_the_lessons_of_rows_are_the_same_each_time(rows_file: Rows, tmp_path: Path) -> None:
    rows = rows_file(*({**POST, "id": number} for number in range(9)))
    folders = [tmp_path / name for name in ("one", "two")]
    made = [lessons_of(rows, folder) for folder in folders]
    assert [lesson.id for lesson in made[0].lessons] == [str(number) for number in range(9)]
    texts = [(folder / "lessons.jsonl").read_bytes() for folder in folders]
    assert texts[0] == texts[1]
    assert len(list((folders[0] / "media").iterdir())) == 1  # one picture, kept once
    read = read_lessons(folders[0])
    assert (read.manifest, read.lessons) == (made[0].manifest, made[0].lessons)


def test_a_teachers_thought_comes_first_where_rows_have_one(
    rows_file: Rows, tmp_path: Path
) -> None:
    thought = "Two names and a city; a woman is on the left."
    rows = rows_file({**POST, "thought": thought}, {**POST, "id": "b"})
    out = tmp_path / "out"
    (lesson,) = lessons_of(rows, out).lessons
    assert isinstance(lesson.answer[0], str)
    assert lesson.answer[0].startswith(f"<think>{thought}</think>")
    assert "<think>" in lesson.system
    assert left_out(out) == {"b": "the row has no thought, and others have one"}


def test_rows_of_which_none_gives_a_lesson_are_an_error_that_says_why(
    rows_file: Rows, tmp_path: Path
) -> None:
    rows = rows_file({**POST, "image": None})
    with pytest.raises(DataError, match=r"none of 1 rows .* shown no picture of it \(1\)"):
        lessons_of(rows, tmp_path / "out")


def test_a_model_of_which_nobody_knows_how_it_writes_boxes_cannot_be_taught(
    rows_file: Rows, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=r"not known how .* writes boxes; .*\?family="):
        lessons_of(rows_file(POST), tmp_path / "out", base="owner/model")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "fmnerg").is_dir(), reason="the tweets are not beside the checkout")
def test_every_tweet_of_twitter_fmnerg_gives_a_lesson(tmp_path: Path, rows_file: Rows) -> None:
    rows, _ = convert("fmnerg", DATA / "fmnerg", "dev", boxes=DATA / "gmner" / "xml.tar.gz")
    some = random.Random(5).sample(list(rows), 150)
    for row in some:  # the pictures are not public: of their sizes, of noise
        rows_file({"id": "x", "image": f"{row.id}.png"}, size=row.size or (500, 400))
    path = tmp_path / "tweets.jsonl"
    write_rows(path, (row.model_copy(update={"image": f"{row.id}.png"}) for row in some))
    settings = Settings.load("e2e").model_copy(update={"types": "fmnerg"})
    lessons = rehearse(course_named("e2e"), path, settings, BASE, tmp_path / "out")
    assert lessons.manifest.left_out == {}
    assert len(lessons.lessons) == len(some)
