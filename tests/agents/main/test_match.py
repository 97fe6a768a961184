"""An image-text model as the entailer: the evidence it adds, and who may play the role."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from deixis.agents.context.cast import Seat
from deixis.agents.main.entail import entail
from deixis.errors import ModelFileError, SettingsError, ToolError
from deixis.testing import tools
from deixis.tools.base import Picture

DASH = "\N{EN DASH}"


class Fits:
    """An entailer that says what a test has put into ``chances``."""

    def __init__(self) -> None:
        self.chances: dict[str, float] = {}
        self.asked: list[list[str]] = []

    def entail(self, picture: Picture, expressions: Sequence[str]) -> list[float]:
        assert picture.shape == (300, 400, 3)
        self.asked.append(list(expressions))
        if "broken" in self.chances:
            raise ToolError("it is broken")
        return [self.chances[expression] for expression in expressions]


@pytest.fixture
def entailer() -> Iterator[Fits]:
    """The tool ``fits``."""
    fits = Fits()
    with tools(fits=fits):
        yield fits


def probabilities(update: dict[str, Any]) -> list[float]:
    return [each["probability"] for each in update["verdicts"].values()]


def verdicts(update: dict[str, Any]) -> list[bool | None]:
    return [each["groundable"] for each in update["verdicts"].values()]


def test_what_fits_is_visible_and_nobody_is_asked_for_a_name(
    described: dict[str, Any], toolbox_of: Any, run: Any, entailer: Fits
) -> None:
    entailer.chances.update({"a tall woman": 0.75, "a blue logo": 0.2})
    update = run(entail, described, toolbox_of(entailer="fits"))
    assert entailer.asked == [["a tall woman", "a blue logo"]], "all descriptions at once"
    assert verdicts(update) == [True, False]
    assert probabilities(update) == pytest.approx([0.75, 0.2]), "a prior of one half, then odds"
    said = update["decisions"]["e1/entail/groundable"]["evidence"]
    assert said[0] == "fits says that 'a tall woman' fits the picture with 0.75 (odds x 3)"
    assert update["calls"] == {} and update["notices"] == {}


@pytest.mark.parametrize(("fit", "shown"), [(1.0, 8 / 9), (0.95, 8 / 9), (0.0, 1 / 9), (0.5, 0.5)])
def test_one_number_for_a_whole_picture_tells_only_so_much(
    described: dict[str, Any], toolbox_of: Any, run: Any, entailer: Fits, fit: float, shown: float
) -> None:
    entailer.chances.update({"a tall woman": fit, "a blue logo": fit})
    update = run(entail, described, toolbox_of(entailer="fits"))
    assert probabilities(update) == pytest.approx([shown, shown])
    assert verdicts(update) == [fit > 0.5] * 2


def test_equal_descriptions_are_matched_once(
    described: dict[str, Any], toolbox_of: Any, run: Any, entailer: Fits
) -> None:
    described["expressions"] = {"e1": f"Ann (PER) {DASH} a star", "e2": f"NASA (ORG) {DASH} a star"}
    entailer.chances["a star"] = 0.75
    assert verdicts(run(entail, described, toolbox_of(entailer="fits"))) == [True, True]
    assert entailer.asked == [["a star"]]


def test_a_tool_that_fails_leaves_it_open(
    described: dict[str, Any], toolbox_of: Any, run: Any, entailer: Fits
) -> None:
    entailer.chances["broken"] = 1.0
    update = run(entail, described, toolbox_of(entailer="fits"))
    assert verdicts(update) == [None, None]
    (said,) = update["notices"].values()
    assert said["step"] == "entail" and "it is broken" in said["message"]
    evidence = update["decisions"]["e1/entail/groundable"]["evidence"]
    assert "descriptions could not be matched with the picture" in evidence


@pytest.mark.parametrize("missing", ["picture", "expressions"])
def test_without_a_picture_or_descriptions_nothing_is_matched(
    described: dict[str, Any], toolbox_of: Any, run: Any, entailer: Fits, missing: str
) -> None:
    described[missing] = None if missing == "picture" else {}
    run(entail, described, toolbox_of(entailer="fits"))
    assert entailer.asked == []


def test_a_tool_or_a_chat_model_may_be_the_entailer(toolbox_of: Any, entailer: Fits) -> None:
    for spec, is_tool in (("fits", True), ("siglip:a/b?slope=2", True), ("scripted:eyes", False)):
        toolbox = toolbox_of(entailer=spec)
        assert Seat("entailer", spec, is_tool) in toolbox.cast.seats()
    assert toolbox_of(entailer="fits").entailer("entailer").name == "fits"
    assert toolbox_of(entailer="scripted:eyes").entailer("entailer") is None
    assert toolbox_of().entailer("entailer") is None


def test_a_tool_of_another_package_may_be_the_entailer(
    toolbox_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "some_fits-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-fits\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[deixis.tools]\nfoldedfits = nowhere:Fits\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert Seat("entailer", "foldedfits", True) in toolbox_of(entailer="foldedfits").cast.seats()


@pytest.mark.parametrize(
    ("spec", "said"),
    [("siglipp:x", "did you mean 'siglip'"), ("sam:x", "known: "), ("opnai:x", "'openai'")],
)
def test_an_unknown_entailer_is_told_with_the_tools_and_the_models(
    toolbox_of: Any, spec: str, said: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        toolbox_of(entailer=spec)
    known = str(caught.value).partition("known: ")[2].split(", ")
    assert said in str(caught.value) and {"siglip", "clip", "openai", "ollama"} <= set(known)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """The folder of a tiny SigLIP with random weights."""
    import torch
    import transformers as hf

    known = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *"abcdefghijklmnopqrstuvwxyz"]
    tokenizer = hf.Siglip2Tokenizer(
        vocab={piece: number for number, piece in enumerate(known)}, model_max_length=16
    )
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
    config = hf.SiglipConfig(
        text_config={
            **small,
            "num_attention_heads": 2,
            "vocab_size": len(known),
            "max_position_embeddings": 16,
            "projection_size": 32,
        },
        vision_config={**small, "num_attention_heads": 2, "image_size": 32, "patch_size": 16},
    )
    processor = hf.SiglipImageProcessorPil(size={"height": 32, "width": 32})
    hf.SiglipProcessor(processor, tokenizer).save_pretrained(tmp_path)
    torch.manual_seed(3)
    hf.SiglipModel(config).save_pretrained(tmp_path)
    return tmp_path


@pytest.mark.extra
@pytest.mark.slow
def test_a_real_model_is_the_entailer(
    described: dict[str, Any], toolbox_of: Any, run: Any, tiny: Path
) -> None:
    toolbox = toolbox_of(entailer=f"siglip:{tiny}?slope=2&threshold=-1")
    toolbox.check()
    update = run(entail, described, toolbox)
    pixels = toolbox.pixels(described)
    fits = toolbox.entailer("entailer").entail(pixels, ["a tall woman", "a blue logo"])
    assert all(1 / 9 < each < 8 / 9 for each in fits)
    assert probabilities(update) == pytest.approx(fits), "a prior of one half, then odds"
    said = update["decisions"]["e2/entail/groundable"]["evidence"]
    assert said[0].startswith("siglip says that 'a blue logo' fits the picture with ")


@pytest.mark.extra
def test_a_folder_without_a_model_is_the_users_to_mend(
    described: dict[str, Any], toolbox_of: Any, run: Any, tmp_path: Path
) -> None:
    with pytest.raises(ModelFileError, match=r"no config\.json in the folder"):
        run(entail, described, toolbox_of(entailer=f"clip:{tmp_path}/gone"))
