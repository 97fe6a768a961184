"""The entailer that reads descriptions: what it says, and what it refuses."""

import json
import shutil
from pathlib import Path

import pytest

from deixis.errors import ModelFileError, SettingsError, ToolError
from deixis.tools import registry
from deixis.tools.base import CaptionMention
from deixis.tools.captions.entailer import MODEL_FOLDER, CaptionWords

TEXT = "Obama meets Merkel in Berlin"
OBAMA = CaptionMention(0, 5, "PER", "politician", None)
MERKEL = CaptionMention(12, 18, "PER", "politician", None)
BERLIN = CaptionMention(22, 28, "LOC", "city", None)
ALL = [OBAMA, MERKEL, BERLIN]
MAN = "A man in a suit and tie is speaking into a microphone."
LOGO = "The image shows a logo with the words 'breaking news' written on it."


@pytest.fixture(scope="module")
def entailer() -> CaptionWords:
    tool = registry.load("caption", "entailer")
    assert isinstance(tool, CaptionWords)
    return tool


def test_a_person_is_likelier_where_a_man_is_described(entailer: CaptionWords) -> None:
    man, logo = (entailer.shown(TEXT, caption, ALL)[0] for caption in (MAN, LOGO))
    assert man > 0.5 > logo + 0.1


def test_an_organization_is_likelier_where_its_sign_is_described(entailer: CaptionWords) -> None:
    text = "New phones from Samsung today"
    samsung = [CaptionMention(16, 23, "ORG", "company", None)]
    sign = "The image shows a large Samsung logo on the front of a building."
    (named,), (beach,) = (
        entailer.shown(text, caption, samsung) for caption in (sign, "A dog runs on a beach.")
    )
    assert named > beach + 0.2


def test_who_is_named_in_the_description_is_likelier_than_who_is_not(
    entailer: CaptionWords,
) -> None:
    merkel = "Angela Merkel, wearing a blue jacket, stands behind a lectern."
    told = entailer.shown(TEXT, merkel, ALL)
    assert told[1] > told[0] and told[1] > told[2]


def test_a_place_is_likelier_in_a_view_than_in_a_portrait(entailer: CaptionWords) -> None:
    view = "The image shows the skyline of a city with tall buildings at night."
    assert entailer.shown(TEXT, view, ALL)[2] > entailer.shown(TEXT, MAN, ALL)[2]


@pytest.mark.parametrize(
    "caption", ["", " ", MAN, "x" * 50_000, "man " * 20_000, "\ud83d\0\n", "猫"]
)
@pytest.mark.parametrize("kind", ["PER", "LOC", "ORG", "OTHER", "hero"])
@pytest.mark.parametrize("fine_type", [None, "politician", "nothing known"])
def test_whatever_is_given_the_answer_is_a_probability(
    entailer: CaptionWords, caption: str, kind: str, fine_type: str | None
) -> None:
    mentions = [each._replace(type=kind, fine_type=fine_type) for each in ALL]
    told = entailer.shown(TEXT, caption, mentions)
    assert len(told) == 3 and all(0.0 < probability < 1.0 for probability in told)
    assert told == entailer.shown(TEXT, caption, mentions), "the same every time"


def test_a_type_that_is_not_known_is_taken_for_other(entailer: CaptionWords) -> None:
    hero, other = (
        entailer.shown(TEXT, MAN, [OBAMA._replace(type=kind)]) for kind in ("hero", "OTHER")
    )
    assert hero == other


def test_answers_stand_in_the_order_asked(entailer: CaptionWords) -> None:
    assert entailer.shown(TEXT, MAN, ALL[::-1]) == entailer.shown(TEXT, MAN, ALL)[::-1]
    assert entailer.shown(TEXT, MAN, []) == []


def test_without_a_description_a_prior_is_the_answer(entailer: CaptionWords) -> None:
    told = entailer.shown(TEXT, " \n", [OBAMA._replace(prior=0.123), MERKEL])
    assert told[0] == 0.123 and told[1] != 0.123
    seen = entailer.shown(TEXT, MAN, [OBAMA._replace(prior=0.123), MERKEL])
    assert seen == entailer.shown(TEXT, MAN, [OBAMA, MERKEL])


@pytest.mark.parametrize("span", [(-1, 3), (3, 3), (5, 2), (20, 99), (5, 6)])
def test_what_is_no_mention_is_refused(entailer: CaptionWords, span: tuple[int, int]) -> None:
    wrong = CaptionMention(*span, "PER", None, None)
    with pytest.raises(ToolError, match=rf"{span[0]}\.\.{span[1]} is no mention of .* 28"):
        entailer.shown(TEXT, MAN, [OBAMA, wrong])


def test_it_plays_the_entailer_alone() -> None:
    with pytest.raises(SettingsError, match="no tool 'caption'"):
        registry.check("caption", "embedder")
    assert registry.find("caption", "entailer").files("caption") == [str(MODEL_FOLDER)]


@pytest.mark.parametrize("name", ["entailer.json", "weights.npz"])
@pytest.mark.parametrize("damage", [None, b"", b"{}", b"\0\1\2"])
def test_a_damaged_model_is_told(tmp_path: Path, name: str, damage: bytes | None) -> None:
    folder = Path(shutil.copytree(MODEL_FOLDER, tmp_path / "model"))
    (folder / name).unlink()
    if damage is not None:
        (folder / name).write_bytes(damage)
    with pytest.raises(ModelFileError, match=name):
        CaptionWords(folder)


def test_an_incomplete_model_is_told(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(MODEL_FOLDER, tmp_path / "model"))
    settings = json.loads((folder / "entailer.json").read_text())
    settings["calibration"].pop("ORG")
    (folder / "entailer.json").write_text(json.dumps(settings))
    with pytest.raises(ModelFileError, match=r"incomplete \(KeyError\('ORG'\)\)"):
        CaptionWords(folder)
