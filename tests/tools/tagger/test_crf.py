"""The shipped CRF: what it finds, and faults of its own files."""

import gzip
import shutil
import sys
from pathlib import Path

import pytest

from deixis.errors import MissingExtraError, ModelFileError
from deixis.tools.tagger.crf import MODEL_FOLDER, CrfTagger

pytestmark = pytest.mark.extra

pytest.importorskip("pycrfsuite", reason="the starter extra is not installed")


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


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycrfsuite", None)
    with pytest.raises(MissingExtraError, match=r"deixis\[starter\]"):
        CrfTagger()


def test_field_that_is_no_model(copy: Path) -> None:
    (copy / "model.crfsuite.gz").write_bytes(gzip.compress(b"not a model at all"))
    with pytest.raises(ModelFileError, match="not a CRFsuite model"):
        CrfTagger(copy)
