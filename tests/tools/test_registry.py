"""Tools by name: what is wrong with a spec is told when it is read or loaded."""

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import MissingExtraError, ModelFileError, SettingsError
from deixis.tools import registry
from deixis.tools.captions.entailer import MODEL_FOLDER as CAPTION_FOLDER
from deixis.tools.centerface import CenterFace
from deixis.tools.hearing.faster import FasterWhisper
from deixis.tools.hearing.silero import SileroVad
from deixis.tools.minilm import MiniLm
from deixis.tools.nanodet import NanoDet
from deixis.tools.outlines import Outlines
from deixis.tools.registry import TOOLS, Tool, check, find, load
from deixis.tools.tagger.crf import MODEL_FOLDER, CrfTagger
from deixis.tools.tagger.minilm import MODEL_FOLDER as MINILM_FOLDER

PLUGIN = """
from pathlib import Path

class Eye:
    name = "eye"

    def __init__(self, weights: Path | None = None, threshold: float = 0.5, size: int = 8,
                 mode: str = "fast") -> None:
        self.given = (weights, threshold, size, mode)

    def files(self):
        return [str(self.given[0]), "hub:owner/eyes#transformers"]

class Plain:
    name = "plain"

    def __init__(self):
        raise OSError("it is not made to be asked what it needs")
"""


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a package that brings tools."""
    (tmp_path / "eye_module.py").write_text(PLUGIN)
    info = tmp_path / "some_eyes-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-eyes\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[deixis.tools]\neye = eye_module:Eye\nplain = eye_module:Plain\nbroken = eye_module:Ear\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    registry._load.cache_clear()
    yield
    sys.modules.pop("eye_module", None)
    registry._load.cache_clear()


@pytest.mark.parametrize("name", TOOLS)
def test_every_tool_that_comes_with_deixis_can_be_loaded(name: str) -> None:
    role, extra = TOOLS[name].role, TOOLS[name].extra
    if any(find_spec(module) is None for module in TOOLS[name].needs):
        with pytest.raises(MissingExtraError, match=rf"pip install .deixis\[{extra}\]"):
            load(name, role)
        return
    check(name, role)
    assert load(name, role).__class__.__name__ == TOOLS[name].target.partition(":")[2]


HUB = "hub:{}#transformers"
FILES = {
    "crf": [str(MODEL_FOLDER)],
    "minilm-ner": [str(MINILM_FOLDER)],
    "caption": [str(CAPTION_FOLDER)],
    "hashed": [],
    "grabcut": [],
    "optical-flow": [],
    "sam2-video": [HUB.format("facebook/sam2.1-hiera-base-plus")],
    "sam3-video:a/b@v1": [HUB.format("a/b@v1")],
    "edgetam:/my/folder": ["/my/folder"],
    "outlines": [Outlines.MODEL],
    "rapidocr": [],
    "nanodet": [NanoDet.MODEL, CenterFace.MODEL],
    "nanodet?faces=false": [NanoDet.MODEL],
    "centerface": [CenterFace.MODEL],
    "centerface:/my.onnx": ["/my.onnx"],
    "minilm": [MiniLm.MODEL],
    "grounding-dino": [HUB.format("IDEA-Research/grounding-dino-tiny")],
    "owlv2:a/b@v1?threshold=0.2": [HUB.format("a/b@v1")],
    "sam3-phrases": [HUB.format("facebook/sam3")],
    "siglip": [HUB.format("google/siglip2-base-patch16-224")],
    "clip:a/b": [HUB.format("a/b")],
    "sam": [HUB.format("facebook/sam-vit-base")],
    "sam2": [HUB.format("facebook/sam2.1-hiera-base-plus")],
    "sam3:/my/folder": ["/my/folder"],
    "segment-anything:vit_b?checkpoint=hub:a/b/vit_b.pth": ["hub:a/b/vit_b.pth"],
    "groundingdino?checkpoint=/my.pth": ["/my.pth"],
    "faster-whisper": [FasterWhisper.MODEL],
    "faster-whisper:hub:a/b?language=de": ["hub:a/b"],
    "silero-vad": [SileroVad.MODEL],
    "transcription-server": [],
    "whisper": [HUB.format("openai/whisper-small")],
}


@pytest.mark.extra
@pytest.mark.parametrize("spec", FILES)
def test_a_tool_tells_which_weights_it_needs(spec: str) -> None:
    tool = TOOLS[spec.partition(":")[0].partition("?")[0]]
    if any(find_spec(module) is None for module in tool.needs):
        pytest.skip("a package that it needs is not installed")
    assert tool.files(spec) == FILES[spec]


def test_all_tools_tell() -> None:
    trained = {"image-text-head"}  # of a folder: tests/training/test_own_entailer.py
    assert {spec.partition(":")[0].partition("?")[0] for spec in FILES} | trained == set(TOOLS)


@pytest.mark.extra
@pytest.mark.parametrize("name", ["segment-anything", "groundingdino"])
def test_a_tool_that_has_to_be_given_a_file_says_so(name: str) -> None:
    if any(find_spec(module) is None for module in TOOLS[name].needs):
        pytest.skip("a package that it needs is not installed")
    with pytest.raises(ModelFileError, match="has no checkpoint; write"):
        TOOLS[name].files(name)


def test_tools_of_others_tell_as_well() -> None:
    eye = find("eye", "detector")
    assert eye.files("eye:/a.onnx") == ["/a.onnx", "hub:owner/eyes#transformers"]
    assert find("plain", "reader").files("plain") == [], "and it was not made for that"
    with pytest.raises(SettingsError, match="option size"):
        eye.files("eye?size=large")


def test_a_tool_is_made_once() -> None:
    assert load("eye", "detector") is load("eye", "detector")
    assert load("eye?size=9", "detector") is not load("eye", "detector")


@pytest.mark.parametrize(
    ("spec", "given"),
    [
        ("eye", (None, 0.5, 8, "fast")),
        ("eye:/a/model.onnx", (Path("/a/model.onnx"), 0.5, 8, "fast")),
        ("eye?threshold=0.25&mode=slow", (None, 0.25, 8, "slow")),
        ("eye:m?size=12&threshold=1", (Path("m"), 1.0, 12, "fast")),
    ],
)
def test_options_arrive_as_the_constructor_wants_them(spec: str, given: Any) -> None:
    assert load(spec, "detector").given == given


@pytest.mark.extra
def test_a_recognizer_of_ones_own_is_a_folder() -> None:
    assert isinstance(load(f"crf:{MODEL_FOLDER}", "recognizer"), CrfTagger)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("eye?treshold=1", "there is no option 'treshold' (did you mean 'threshold'?); known: wei"),
        ("eye?threshold=high", "option threshold: Input should be a valid number"),
        ("eye?size=1.5", "option size: Input should be a valid integer"),
        ("plain:x", "plain takes no argument"),
        ("plain?x=1", "there is no option 'x'; it takes no options"),
        ("broken", "it cannot be imported: module 'eye_module' has no attribute 'Ear'"),
    ],
)
def test_a_wrong_option_is_told(spec: str, said: str) -> None:
    for function in (check, load):
        with pytest.raises(SettingsError) as caught:
            function(spec, "detector")
        assert str(caught.value).startswith(f"detector {spec!r}: ") and said in str(caught.value)
    assert registry._load.cache_info().currsize == 0, "no tool is made"


@pytest.mark.extra
@pytest.mark.parametrize("name", ["sam", "owlv2", "siglip"])
def test_what_is_no_device_is_told_before_anything_is_loaded(name: str) -> None:
    if any(find_spec(module) is None for module in TOOLS[name].needs):
        pytest.skip("a package that it needs is not installed")
    check(f"{name}?device=cuda:1", TOOLS[name].role)
    with pytest.raises(SettingsError, match="there is no device 'quantum'; write auto, cpu"):
        check(f"{name}?device=quantum", TOOLS[name].role)


@pytest.mark.parametrize(
    ("spec", "role", "said"),
    [
        ("centreface", "detector", "there is no tool 'centreface' (did you mean 'centerface"),
        ("centerface", "reader", "reader: there is no tool 'centerface'"),
        ("zzz", "reader", "known: rapidocr, broken, eye, plain"),
        (":x", "reader", "names no provider"),
    ],
)  # fmt: skip
def test_an_unknown_tool_is_told_with_the_nearest(spec: str, role: str, said: str) -> None:
    for function in (find, check, load):
        with pytest.raises(SettingsError) as caught:
            function(spec, role)
        assert said in str(caught.value)


def test_a_missing_package_is_told_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tool = Tool("nowhere:Eye", "detector", "gpu", {"no_such_module": "no-such-package"})
    monkeypatch.setitem(TOOLS, "absent", tool)
    for function in (check, load):
        with pytest.raises(MissingExtraError, match=r"no-such-package .*\[gpu\]"):
            function("absent", "detector")
