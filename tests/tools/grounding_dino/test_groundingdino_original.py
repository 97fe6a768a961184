"""The authors' own Grounding DINO: small, with random weights, saved as its checkpoints are."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image

from deixis.errors import ModelFileError
from deixis.tools.base import Picture
from deixis.tools.grounding_dino import original as groundingdino_original
from deixis.tools.grounding_dino.original import OriginalGroundingDino, load

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore"), pytest.mark.extra]
PHRASES = ["a cat", "the red flag", "woman in uniform"]
WORDS = ["a", "cat", "dog", "the", "red", "flag", "woman", "in", "uniform", "##s"]
ENDS = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103, ".": 1012, "?": 1029}


class Payload:
    """What a pickle may hold: an object whose making runs code."""

    def __reduce__(self) -> Any:
        return print, ("this must never be printed",)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A configuration, its checkpoint and the text encoder's folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package = pytest.importorskip("groundingdino.models.GroundingDINO.groundingdino")
        import groundingdino
        from groundingdino.models import build_model
        from groundingdino.util.slconfig import SLConfig

        folder = tmp_path_factory.mktemp("models")
        shipped = Path(groundingdino.__file__).parent / "config" / "GroundingDINO_SwinT_OGC.py"
        small = {"enc_layers": 1, "dec_layers": 2, "dim_feedforward": 64, "num_queries": 30}
        lines = [f"{name} = {value}" for name, value in small.items()]
        config = folder / "small.py"
        config.write_text("\n".join([shipped.read_text(), *lines]))
        known = ENDS | {word: 200 + number for number, word in enumerate(WORDS)}
        by_number = {number: word for word, number in known.items()}
        vocabulary = {by_number.get(n, f"[unused{n}]"): n for n in range(1100)}
        tokenizer = hf.BertTokenizer(vocab=vocabulary)
        bert = hf.BertConfig(
            vocab_size=1100,
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
        )
        tokenizer.save_pretrained(folder / "bert")
        bert.save_pretrained(folder / "bert")
        torch.manual_seed(5)
        with pytest.MonkeyPatch.context() as patch:
            given = groundingdino_original._Given(tokenizer, hf.BertModel(bert))
            patch.setattr(package, "get_tokenlizer", given)
            patch.setattr(package, "BertModelWarper", groundingdino_original._text_encoder)
            model = build_model(SLConfig.fromfile(str(config)))
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if "bbox_embed" in name:
                    weight.normal_(std=0.1)
                if "feat_map" in name and weight.dim() > 1:
                    weight.normal_(std=0.0005)
        weights = {f"module.{name}": each for name, each in model.state_dict().items()}
        torch.save({"model": weights}, folder / "small.pth")
    return {"config": config, "checkpoint": folder / "small.pth", "bert": folder / "bert"}


@pytest.fixture
def detector(
    saved: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., OriginalGroundingDino]:
    """Make the detector with some options; it looks at smaller pictures, to be quick."""
    monkeypatch.setattr(groundingdino_original, "_SHORTER", 96)
    monkeypatch.setattr(groundingdino_original, "_LONGER", 160)

    def make(**options: Any) -> OriginalGroundingDino:
        given = {
            "config": str(saved["config"]),
            "checkpoint": str(saved["checkpoint"]),
            "text_encoder": str(saved["bert"]),
            "threshold": 0.0,
            "nms": 1.0,
            "limit": 900,
            "device": "cpu",
        }
        return OriginalGroundingDino(**(given | options))

    return make


def picture(height: int = 60, width: int = 80) -> Picture:
    random = np.random.default_rng(0)
    return random.integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_the_text_encoder_put_in_reads_as_bert_does() -> None:
    torch.manual_seed(0)
    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    bert = hf.BertModel(hf.BertConfig(vocab_size=50, intermediate_size=32, **small)).eval()
    tokens, places = torch.randint(0, 50, (2, 7)), torch.arange(7)[None].expand(2, 7)
    given = {"input_ids": tokens, "token_type_ids": tokens * 0, "position_ids": places}
    read, seen = groundingdino_original._text_encoder(bert), torch.ones(2, 7, 7, dtype=torch.bool)
    with torch.no_grad():
        wanted = bert(**given).last_hidden_state
        found = read(**given, attention_mask=seen)["last_hidden_state"]
        assert torch.allclose(found, wanted, atol=1e-5)
        seen[:, :4, 4:] = seen[:, 4:, :4] = False
        apart = read(**given, attention_mask=seen)["last_hidden_state"][:, :4]
        alone = bert(**{name: each[:, :4] for name, each in given.items()}).last_hidden_state
        assert torch.allclose(apart, alone, atol=1e-5)


@pytest.mark.parametrize("size", [(60, 80), (81, 50), (40, 200)])
def test_it_finds_what_the_package_finds(
    saved: dict[str, Path], detector: Any, size: tuple[int, int]
) -> None:
    shown = picture(*size)
    found = detector().detect(shown, PHRASES)
    inference = pytest.importorskip("groundingdino.util.inference")
    transform = inference.T.Compose(
        [
            inference.T.RandomResize([96], max_size=160),
            inference.T.ToTensor(),
            inference.T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    pixels, _ = transform(Image.fromarray(shown), None)
    model = load(str(saved["config"]), saved["checkpoint"], str(saved["bert"]), "cpu").model
    for phrase in PHRASES:
        boxes, scores, _ = inference.predict(model, pixels, phrase, 0.0, 0.0, "cpu")
        own = [each for each in found if each.label == phrase]
        order = scores.argsort(descending=True, stable=True)
        assert [each.score for each in own] == pytest.approx(scores[order].tolist(), abs=1e-4)
        half = boxes[order, 2:] / 2
        edges = torch.cat([boxes[order, :2] - half, boxes[order, :2] + half], dim=1)
        wanted = (edges * torch.tensor([shown.shape[1], shown.shape[0]] * 2)).numpy()
        wanted = wanted.clip(0, [shown.shape[1], shown.shape[0]] * 2)
        assert np.array([each.box for each in own]) == pytest.approx(wanted, abs=0.05)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (700, 2), (9, 200)])
def test_pictures_of_any_shape(detector: Any, size: tuple[int, int]) -> None:
    shown = picture(*size)
    for each in detector(limit=3).detect(shown, ["a cat", "[SEP] 猫", "a. cat?", "dog " * 600]):
        x1, y1, x2, y2 = each.box
        assert 0 <= x1 < x2 <= size[1] and 0 <= y1 < y2 <= size[0] and 0 <= each.score <= 1


def test_without_a_word_no_model_is_loaded() -> None:
    assert OriginalGroundingDino("no/such.py").detect(picture(), ["", " . ?"]) == []
    with pytest.raises(ModelFileError, match=r"has no checkpoint; write groundingdino:no/such\.py"):
        OriginalGroundingDino("no/such.py").detect(picture(), ["a cat"])


def test_wrong_files_are_told(detector: Any, saved: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no configuration Swin; write GroundingDINO_SwinB"):
        detector(config="Swin").detect(picture(), ["a cat"])
    torch.save({"model": Payload()}, tmp_path / "code.pth")
    with pytest.raises(ModelFileError, match="no checkpoint of bare tensors"):
        detector(checkpoint=str(tmp_path / "code.pth")).detect(picture(), ["a cat"])
    torch.save({"model": {}}, tmp_path / "empty.pth")
    with pytest.raises(ModelFileError, match="does not have the weights of"):
        detector(checkpoint=str(tmp_path / "empty.pth")).detect(picture(), ["a cat"])
