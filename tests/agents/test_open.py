"""open: what cannot be used is refused before anything is paid for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.agents.context.state import OVERWRITE, State
from deixis.agents.open import MERGED, checked_text, open_sample
from deixis.errors import InputError, MissingExtraError, MissingKeyError, SettingsError
from deixis.llms import registry


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "text must be a string; got NoneType"),
        (5, "got int"),
        (b"Ann", "got bytes"),
        (["Ann"], "got list"),
        ("", "the text is empty"),
        (" \n\t\u00a0\u2003", "the text is empty"),
        ("x" * 101, "the text has 101 characters; at most 100 are taken (options.max_text"),
        ("a\0b", "a NUL character at position 1"),
        ("ab\ud83d", "half a surrogate pair at position 2"),
        ("\udfff", "half a surrogate pair at position 0"),
    ],
)
def test_a_text_that_cannot_be_used_is_refused(
    toolbox_of: Any, run: Any, text: Any, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        run(open_sample, {"text": text, "image": None}, toolbox_of(max_text=100))
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", [" Ann ", "🚀", "a\r\nb", "x" * 100, "e\u0301", "\u202eabc", "\ufeffAnn", "\x01"]
)
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert checked_text(text, 100) == text


def test_a_missing_text_is_refused(toolbox_of: Any, run: Any) -> None:
    with pytest.raises(InputError, match="text must be a string"):
        run(open_sample, {}, toolbox_of())


@pytest.mark.extra
def test_without_a_picture_there_is_no_record(toolbox_of: Any, run: Any) -> None:
    for state in ({"text": "Ann"}, {"text": "Ann", "image": None}):
        update = run(open_sample, state, toolbox_of())
        assert update["picture"] is None and update["text"] == "Ann"
        assert update["notices"] == {}


@pytest.mark.extra
def test_what_the_last_sample_left_is_emptied(toolbox_of: Any, run: Any) -> None:
    update = run(open_sample, {"text": "Ann"}, toolbox_of())
    merged = {
        key
        for key, hint in State.__annotations__.items()
        if "Merged" in str(hint) or "merge" in str(hint)
    }
    assert set(MERGED) | {"notices"} == merged
    assert all(update[channel] == {} for channel in merged)


@pytest.mark.extra
@pytest.mark.parametrize("kind", ["path", "bytes", "pil", "array"])
def test_a_picture_is_recorded_without_its_pixels(
    toolbox_of: Any, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "a.png"
    picture = Image.new("RGB", (40, 30), "red")
    picture.save(path)
    image: Any = {
        "path": str(path),
        "bytes": path.read_bytes(),
        "pil": picture,
        "array": np.asarray(picture),
    }[kind]
    update = open_sample({"text": "Ann", "image": image}, toolbox_of())
    record = update["picture"]
    assert (record["width"], record["height"]) == (40, 30)
    assert len(record["sha256"]) == 64
    named = {"path": str(path), "bytes": "bytes", "pil": "PIL image", "array": "array"}
    assert record["source"] == named[kind]
    assert set(record) == {"sha256", "width", "height", "source"}


@pytest.mark.extra
def test_what_degraded_on_opening_is_a_notice(toolbox_of: Any) -> None:
    deep = Image.fromarray(np.full((30, 40), 70_000, dtype=np.int32))
    update = open_sample({"text": "Ann", "image": deep}, toolbox_of())
    (notice,) = update["notices"][OVERWRITE].values()
    assert notice["step"] == "open" and "were scaled" in notice["message"]


@pytest.mark.extra
@pytest.mark.parametrize(
    ("image", "said"),
    [
        ({"sha256": "00"}, "image is a dict; give a path, a URL, bytes"),
        ({}, "image is a dict"),
        (5, "got int"),
        (["a.png"], "got list"),
        ("/no/such/picture.jpg", "/no/such/picture.jpg"),
        ("", ""),
        (b"", ""),
        (b"no picture", ""),
        (np.zeros((30, 40), dtype=np.uint8), "shape"),
        (np.zeros((7, 40, 3), dtype=np.uint8), "at least 8 pixels"),
        (np.zeros((40, 40, 3), dtype=np.uint8), "over 1,000 pixels"),
    ],
)
def test_a_picture_that_cannot_be_used_is_refused(
    toolbox_of: Any, run: Any, image: Any, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        open_sample({"text": "Ann", "image": image}, toolbox_of(max_pixels=1000))
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.extra
def test_a_missing_key_is_told_before_anything_is_asked(
    toolbox_of: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    toolbox = toolbox_of().for_context({"voter": "openai:gpt-5-mini"})
    with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
        run(open_sample, {"text": "Ann"}, toolbox)


@pytest.mark.extra
def test_a_missing_package_is_told_before_anything_is_asked(
    toolbox_of: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = registry.Provider("nowhere:make", "no-such-package", "some")
    monkeypatch.setitem(registry.PROVIDERS, "absent", provider)
    toolbox = toolbox_of().for_context({"expander": "absent:model"})
    with pytest.raises(MissingExtraError, match=r'pip install "deixis\[some\]"'):
        run(open_sample, {"text": "Ann"}, toolbox)


@pytest.mark.parametrize(
    ("role", "spec", "said"),
    [
        ("voter", "scriptd:x", "did you mean 'scripted'"),
        ("detector", "centreface", "detector: there is no tool 'centreface' (did you mean 'cent"),
        ("reader", "centerface", "reader: there is no tool 'centerface'"),
        ("recognizer", "centerface", "recognizer: there is no tool 'centerface'"),
        ("voter", "", "names no provider"),
    ],
)
def test_a_role_that_nobody_can_fill_is_told_when_the_toolbox_is_made(
    toolbox_of: Any, role: str, spec: str, said: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        toolbox_of().for_context({role: spec})
    assert said in str(caught.value)


def test_a_tagger_that_knows_none_of_the_types_is_told(toolbox_of: Any, tmp_path: Path) -> None:
    path = tmp_path / "ships.yaml"
    path.write_text("types: [{name: SHIP}]")
    for spec in ("crf", "minilm-ner"):
        with pytest.raises(SettingsError, match=r"'ships' which of them a type is \(crf") as caught:
            toolbox_of(schema=str(path), recognizer=spec)
        assert f"the recognizer {spec} knows PER" in str(caught.value)
    assert toolbox_of(schema=str(path), recognizer="scripted:r").types.name == "ships"
