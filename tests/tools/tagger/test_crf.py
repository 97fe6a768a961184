"""The shipped CRF: what it finds, and faults of its own files."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from deixis.errors import ModelFileError
from deixis.tools.tagger.crf import MODEL_FOLDER, CrfTagger
from deixis.tools.tagger.field import Field, write


@pytest.fixture(scope="module")
def tagger() -> CrfTagger:
    return CrfTagger()


def named(tagger: CrfTagger, text: str) -> dict[str, str]:
    return {text[span.start : span.end]: span.type for span in tagger.tag(text)}


def test_prose(tagger: CrfTagger) -> None:
    names = named(
        tagger, "Grace Hopper of the US Navy with a UNIVAC computer at Harvard University."
    )
    assert names["Grace Hopper"] == "PER"
    assert names["US Navy"] == "ORG"
    assert names["Harvard University"] == "ORG"


def test_prose_with_places(tagger: CrfTagger) -> None:
    names = named(
        tagger,
        "Astronaut Eileen Collins of NASA in front of the Space Shuttle Discovery, in Houston, "
        "Texas.",
    )
    assert names["Eileen Collins"] == "PER"
    assert names["NASA"] == "ORG"
    assert names["Houston"] == "LOC"
    assert names["Texas"] == "LOC"


def test_raw_tweet(tagger: CrfTagger) -> None:
    text = "RT @someone: Justin Bieber's concert in Chicago tonight!! ❤️ #fun https://t.co/abc"
    assert named(tagger, text) == {"Justin Bieber": "PER", "Chicago": "LOC"}


def test_a_face_is_likelier_shown_than_a_place(tagger: CrfTagger) -> None:
    shown = {span.type: span.shown_prior for span in tagger.tag("Justin Bieber in Chicago")}
    assert shown["PER"] > 0.4 > 0.25 > shown["LOC"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODEL_FOLDER, tmp_path / "model"))


@pytest.mark.parametrize("content", [b"", b"not a model at all", b"PK\x03\x04 cut off"])
def test_weights_that_are_none(copy: Path, content: bytes) -> None:
    (copy / "weights.npz").write_bytes(content)
    with pytest.raises(ModelFileError, match=r"weights\.npz: the model cannot be read"):
        CrfTagger(copy)
    (copy / "weights.npz").unlink()
    with pytest.raises(ModelFileError, match=r"weights\.npz: the model cannot be read"):
        CrfTagger(copy)


def test_weights_with_code_in_them_are_not_opened(copy: Path) -> None:
    np.savez(copy / "weights.npz", features=np.array([print], dtype=object), weights=np.zeros(1))
    with pytest.raises(ModelFileError, match="cannot be read"):
        CrfTagger(copy)


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(copy: Path, odd: float) -> None:
    write({("a", label): odd for label in CrfTagger().labels}, CrfTagger().labels, copy / "w.npz")
    (copy / "w.npz").replace(copy / "weights.npz")
    with pytest.raises(ModelFileError, match="some weights are no numbers"):
        CrfTagger(copy)


def test_weights_that_would_swell(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deixis.tools.tagger.field._MOST", 1000)
    with pytest.raises(ModelFileError, match="larger than 1000 bytes"):
        CrfTagger(copy)


def test_a_field_that_has_learnt_nothing(copy: Path) -> None:
    write({}, CrfTagger().labels, copy / "weights.npz")
    assert CrfTagger(copy)._field.scores([["a"], []]).tolist() == [[0.0] * 9] * 2


@pytest.mark.parametrize(
    "settings",
    [
        {"price": 10**400},
        {"transitions": [[1e308] * 9] * 9},
        {"labels": ["O", *(f"{mark}-PER" for mark in "BI"), *(f"{mark}-PER" for mark in "BI")]},
    ],
)
def test_settings_that_cannot_be(copy: Path, settings: dict[str, object]) -> None:
    path = copy / "recognizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))
    with pytest.raises(ModelFileError, match="incomplete"):
        CrfTagger(copy)


def test_settings_too_deep_to_read(copy: Path) -> None:
    (copy / "recognizer.json").write_text("[" * 200_000)
    with pytest.raises(ModelFileError, match="cannot be read"):
        CrfTagger(copy)


def test_steep_curves_end_at_0_and_1(copy: Path) -> None:
    path = copy / "recognizer.json"
    settings = json.loads(path.read_text())
    settings["calibration"] = {kind: {"slope": -9e5, "offset": 0} for kind in settings["prior"]}
    settings["prior"] = {kind: [-9e5] * 13 for kind in settings["prior"]}
    path.write_text(json.dumps(settings))
    for span in CrfTagger(copy).tag("Justin Bieber sang in Chicago"):
        assert 0.0 <= span.confidence <= 1.0 and 0.0 <= span.shown_prior <= 1.0


def test_weights_of_other_labels(copy: Path) -> None:
    write({("a", "O"): 1.0}, ["O", "B-PER", "I-PER"], copy / "weights.npz")
    with pytest.raises(ModelFileError, match="not weights of 9 labels"):
        CrfTagger(copy)


def test_scores_are_sums_over_the_features_that_are_known(tmp_path: Path) -> None:
    labels = ["O", "B-PER", "I-PER"]
    weights = {("w=Ann", "B-PER"): 2.0, ("w=Ann", "O"): -1.0, ("é\t", "I-PER"): 0.5}
    for name in ("one.npz", "two.npz"):
        write(weights, labels, tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    scores = Field.read(tmp_path / "one.npz", labels).scores(
        [["w=Ann", "é\t", "unknown"], [], ["w=Ann", "w=Ann"]]
    )
    assert scores.tolist() == [[-1.0, 2.0, 0.5], [0.0, 0.0, 0.0], [-2.0, 4.0, 0.0]]
