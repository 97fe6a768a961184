"""What each trainer's file looks like, and what it cannot hold."""

import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage
from pydantic import BaseModel, ConfigDict, ValidationError

from deixis.errors import DataError, InputError, SettingsError
from deixis.llms.media import clip, recording
from deixis.training.exports.registry import TRAINERS, export
from deixis.training.lessons.files import keep_medium, messages_for, read_lessons
from deixis.training.lessons.records import LessonMedium, Lessons

from .made import BOX, SYSTEM, USER, made

SHOWN = ("trl", "swift", "llamafactory", "qwen")
WRITTEN = "<answer>Grace Hopper|person|[10,19,105,84]; Yale|organization|None</answer>"
"""What Qwen2.5-VL shall write: it sees 160 x 120 pixels as 168 x 112."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Turn(_Strict):
    role: str
    content: str


class Objects(_Strict):
    ref: list[str]
    bbox: list[list[float]]
    bbox_type: str
    image_id: list[int]


class SwiftRow(_Strict):
    messages: list[Turn]
    images: list[str]
    objects: Objects | None = None


class FactoryRow(_Strict):
    messages: list[Turn]
    images: list[str]


class QwenRow(_Strict):
    image: str | list[str]
    conversations: list[dict[str, str]]


class Blocks(_Strict):
    role: str
    content: list[dict[str, str]]


class TrlRow(_Strict):
    id: str
    prompt: list[Blocks]
    completion: list[Blocks]
    images: list[str]


FORMS: dict[str, type[_Strict]] = {
    "trl": TrlRow,
    "swift": SwiftRow,
    "llamafactory": FactoryRow,
    "qwen": QwenRow,
}


def rows(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def first(lessons: Lessons, name: str) -> Any:
    done = export(lessons, name, lessons.folder)
    row, *_ = rows(done.file)
    try:
        FORMS[name].model_validate_json(json.dumps(row))
    except ValidationError as error:
        pytest.fail(str(error))
    return row


def as_one(message: BaseMessage, tag: str) -> str:
    """Return a message that is sent as one text, with a tag where a picture is."""
    if isinstance(message.content, str):
        return message.content
    blocks: list[Any] = message.content
    return "".join(block["text"] if block["type"] == "text" else tag for block in blocks)


def test_trl_has_the_prompt_apart_from_the_completion(tmp_path: Path) -> None:
    lessons = made(tmp_path)
    row = first(lessons, "trl")
    assert [message["role"] for message in row["prompt"]] == ["system", "user"]
    assert row["prompt"][1]["content"] == [
        {"type": "text", "text": "Image 1:"},
        {"type": "image"},
        {"type": "text", "text": USER},
    ]
    assert row["completion"] == [
        {"role": "assistant", "content": [{"type": "text", "text": WRITTEN}]}
    ]
    assert row["images"] == [lessons.lessons[0].media[0].file]


def test_swift_is_left_the_boxes_that_count_pixels_of_the_resized(tmp_path: Path) -> None:
    row = first(made(tmp_path), "swift")
    said = "<answer>Grace Hopper|person|<bbox>; Yale|organization|None</answer>"
    assert row["messages"][2] == {"role": "assistant", "content": said}
    assert row["objects"] == {
        "ref": [],
        "bbox": [list(BOX)],
        "bbox_type": "real",
        "image_id": [0],
    }


def test_swift_is_given_written_boxes_of_other_families(tmp_path: Path) -> None:
    row = first(made(tmp_path, base="transformers:Qwen/Qwen3-VL-8B-Instruct"), "swift")
    assert "|[62,171,625,750]; " in row["messages"][2]["content"]
    assert "objects" not in row


def test_llamafactory_has_a_record_of_the_data_set(tmp_path: Path) -> None:
    row = first(made(tmp_path), "llamafactory")
    assert [turn["role"] for turn in row["messages"]] == ["system", "user", "assistant"]
    assert row["messages"][2]["content"] == WRITTEN
    info = json.loads((tmp_path / "dataset_info.json").read_text(encoding="utf-8"))
    assert info["deixis_e2e"]["file_name"] == "llamafactory.jsonl"
    assert info["deixis_e2e"]["formatting"] == "sharegpt"
    assert set(info["deixis_e2e"]["columns"]) == set(row)
    assert {
        info["deixis_e2e"]["tags"][f"{role}_tag"] for role in ("system", "user", "assistant")
    } == {turn[info["deixis_e2e"]["tags"]["role_tag"]] for turn in row["messages"]}


def test_qwen_has_the_system_before_the_question(tmp_path: Path) -> None:
    row = first(made(tmp_path), "qwen")
    assert row["conversations"] == [
        {"from": "human", "value": f"{SYSTEM}\n\nImage 1:<image>{USER}"},
        {"from": "gpt", "value": WRITTEN},
    ]
    assert (tmp_path / row["image"]).is_file()


def test_several_pictures_are_in_order(tmp_path: Path) -> None:
    lessons = made(tmp_path, pictures=((160, 120), (120, 160)))
    files = [medium.file for medium in lessons.lessons[0].media]
    asked = f"Image 1:<image>Image 2:<image>{USER}"
    assert first(lessons, "qwen")["image"] == files
    assert first(lessons, "swift")["images"] == files
    assert first(lessons, "llamafactory")["messages"][1]["content"] == asked


@pytest.mark.parametrize("name", SHOWN)
def test_the_prompt_is_what_the_graph_sends(name: str, tmp_path: Path) -> None:
    user = "Text: <post><|im_end|> <image> a \N{RIGHT SINGLE QUOTATION MARK} \n\tb</post>\n"
    lessons = made(tmp_path, {"user": user, "system": f"{SYSTEM}\n- x"})
    system, question = messages_for(tmp_path, lessons.lessons[0])
    row = first(lessons, name)
    if name == "trl":
        asked = [block.get("text", "<image>") for block in row["prompt"][1]["content"]]
        assert "".join(asked) == as_one(question, "<image>")
        assert row["prompt"][0]["content"] == [{"type": "text", "text": system.text}]
    elif name == "qwen":
        whole = f"{system.text}\n\n{as_one(question, '<image>')}"
        assert row["conversations"][0]["value"] == whole
    else:
        assert row["messages"][0]["content"] == system.text
        assert row["messages"][1]["content"] == as_one(question, "<image>")


@pytest.mark.parametrize("name", SHOWN)
def test_the_tag_of_a_picture_in_a_post_is_plain_text(name: str, tmp_path: Path) -> None:
    answer = ("<image> <|im_end|>|person|None",)
    lessons = made(tmp_path, {"user": "a <image> and <|im_end|>", "answer": answer})
    line = json.dumps(first(lessons, name))
    tags = 0 if name == "trl" else 1
    assert line.count("<image>") == tags
    assert "< |im_end|>|person" in line
    assert "<|im_end|>" not in line


def test_a_post_with_a_placeholder_of_swift_is_left_out(tmp_path: Path) -> None:
    lessons = made(tmp_path, {}, {"user": "<bbox>"}, {"answer": ("<ref-object>",)})
    done = export(lessons, "swift", tmp_path)
    assert done.lines == 1
    assert dict(done.left_out) == {
        "its text has <bbox>, which this trainer takes for a placeholder": 1,
        "its text has <ref-object>, which this trainer takes for a placeholder": 1,
    }
    assert export(lessons, "trl", tmp_path).lines == 3


def test_sound_and_video_go_to_those_who_take_them(tmp_path: Path) -> None:
    sound = keep_medium(tmp_path, recording(b"RIFF", 2.0))
    video = keep_medium(tmp_path, clip(b"mp4", 2.0))
    heard, seen = {"media": (sound,), "answer": ("a",)}, {"media": (video,), "answer": ("b",)}
    lessons = made(tmp_path, heard, seen, {})
    counts = {name: export(lessons, name, tmp_path).lines for name in SHOWN}
    assert counts == {"trl": 1, "swift": 3, "llamafactory": 3, "qwen": 2}
    swift = rows(tmp_path / "swift.jsonl")
    assert [(row["audios"], row["videos"], len(row["images"])) for row in swift] == [
        ([sound.file], [], 0),
        ([], [video.file], 0),
        ([], [], 1),
    ]
    assert swift[0]["messages"][1]["content"] == f"Audio 1:<audio>{USER}"
    info = json.loads((tmp_path / "dataset_info.json").read_text(encoding="utf-8"))
    assert list(info["deixis_e2e"]["columns"]) == ["messages", "audios", "images", "videos"]


def test_text_alone_is_written_for_models_without_eyes(tmp_path: Path) -> None:
    lessons = made(tmp_path, {"answer": ("a",)}, pictures=())
    export(lessons, "trl", tmp_path)
    row = rows(tmp_path / "trl.jsonl")[0]
    assert row["prompt"][1] == {"role": "user", "content": USER}
    assert "images" not in row


def test_media_are_copied_to_another_folder(tmp_path: Path) -> None:
    lessons = made(tmp_path / "lessons")
    export(lessons, "qwen", tmp_path / "out")
    file = rows(tmp_path / "out" / "qwen.jsonl")[0]["image"]
    assert (tmp_path / "out" / file).read_bytes() == (tmp_path / "lessons" / file).read_bytes()


def test_a_folder_of_lessons_names_no_file_elsewhere(tmp_path: Path) -> None:
    made(tmp_path)
    path = tmp_path / "lessons.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("media/", "media/../../"))
    with pytest.raises(DataError, match="file"):
        read_lessons(tmp_path)
    with pytest.raises(ValidationError):
        LessonMedium(kind="image", file="/etc/passwd", sha256="0")


def test_a_picture_that_is_gone_is_named_and_no_file_is_left(tmp_path: Path) -> None:
    lessons = made(tmp_path)
    (tmp_path / lessons.lessons[0].media[0].file).unlink()
    with pytest.raises(InputError, match="media"):
        export(lessons, "trl", tmp_path)
    assert not (tmp_path / "trl.jsonl").exists()


def test_if_no_lesson_can_be_held_there_is_no_file(tmp_path: Path) -> None:
    lessons = made(tmp_path, {"user": "<bbox>"}, {"user": "<bbox>"})
    with pytest.raises(DataError, match=r"placeholder \(2\)"):
        export(lessons, "swift", tmp_path)
    assert not (tmp_path / "swift.jsonl").exists()


def test_an_unknown_trainer_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="did you mean 'swift'"):
        export(made(tmp_path), "swfit", tmp_path)
    with pytest.raises(SettingsError, match="riveg-ve and riveg-vg alone, not e2e"):
        export(made(tmp_path), "ofa", tmp_path)


@pytest.mark.parametrize("name", TRAINERS)
def test_limits_of_pixels_are_told_where_boxes_depend_on_them(name: str, tmp_path: Path) -> None:
    course = "riveg-ve" if name == "ofa" else "e2e"
    limited = "transformers:Qwen/Qwen2.5-VL-7B-Instruct?min_pixels=200704&max_pixels=802816"
    vg = {"answer": ('{"e1": "entailment"}',), "user": "e1: <post>x</post>"}
    told = "\n".join(export(made(tmp_path, vg, course=course, base=limited), name, tmp_path).told)
    assert ("802816" in told) == ("200704" in told) == (name != "ofa")
    other = "transformers:Qwen/Qwen3-VL-8B-Instruct"
    assert "pixels" not in "\n".join(
        export(made(tmp_path, vg, course=course, base=other), name, tmp_path).told
    )
