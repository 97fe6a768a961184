"""Taggers: the shipped CRF, and a tiny network with random weights in a real model folder."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from deixis.tools.tagger.base import Tagger
from deixis.tools.tagger.features import PRIOR_FEATURES
from deixis.type_schema import TypeSchema

from .onnx_file import Graph

TAGS = ("PER", "LOC", "ORG", "OTHER")
LABELS = ("O", *(f"{mark}-{tag}" for tag in TAGS for mark in "BI"))
FINE_OF = {
    fine: str(kind.crf) for kind in TypeSchema.load("fmnerg").types for fine in kind.fine_types
}
SPECIAL = {"[UNK]": 100, "[CLS]": 101, "[SEP]": 102}
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789@#&;.!?'-:/"
WORDS = ("justin", "bieber", "chicago", "nasa", "in", "sang", "ann", "##s")
WIDTH = 12
REACH = 2
"""Pieces to each side that the network sees."""


def _tokenizer() -> str:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    known = [*LETTERS, *(f"##{letter}" for letter in LETTERS), *WORDS]
    vocabulary = SPECIAL | {piece: 103 + number for number, piece in enumerate(known)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 102), ("[CLS]", 101))
    tokenizer.enable_truncation(128)  # as published ones do
    tokenizer.enable_padding(length=128)
    return str(tokenizer.to_str())


def write_network(
    path: Path,
    *,
    labels: int = len(LABELS),
    fine: int = len(FINE_OF),
    pieces: int = 300,
    scale: float = 1.0,
    order: Sequence[int] | None = None,
) -> None:
    """Write a convolution over embeddings of pieces and casing, with random weights.

    Its scores are multiplied by `scale`, and its labels are in the order given.
    """
    rng = np.random.default_rng(4)

    def weights(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return rng.normal(size=shape).astype(np.float32)

    graph = Graph(dict.fromkeys(("ids", "casing", "mask"), "int64"))
    graph.add("Gather", ["words", "ids"], "a", words=weights(pieces, WIDTH))
    graph.add("Gather", ["classes", "casing"], "b", classes=weights(32, WIDTH))
    graph.add("Add", ["a", "b"], "c")
    graph.add("Cast", ["mask"], "d", to=1)
    graph.add("Unsqueeze", ["d", "last"], "e", last=np.array([2], dtype=np.int64))
    graph.add("Mul", ["c", "e"], "f")
    graph.add("Transpose", ["f"], "g", perm=[0, 2, 1])
    graph.add(
        "Conv",
        ["g", "near"],
        "h",
        pads=[REACH, REACH],
        near=weights(WIDTH, WIDTH, 2 * REACH + 1) / 4,
    )
    graph.add("Transpose", ["h"], "i", perm=[0, 2, 1])
    graph.add("Tanh", ["i"], "j")
    to_coarse = weights(WIDTH, labels) * np.float32(scale)
    to_coarse = np.ascontiguousarray(to_coarse[:, order]) if order else to_coarse
    graph.add("MatMul", ["j", "to_coarse"], "coarse", to_coarse=to_coarse)
    graph.add("MatMul", ["j", "to_fine"], "fine", to_fine=weights(WIDTH, fine))
    path.write_bytes(graph.model({"coarse": labels, "fine": fine}))


@pytest.fixture(scope="session")
def tiny_minilm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny neural recognizer; not to be written to."""
    pytest.importorskip("tokenizers")
    pytest.importorskip("onnxruntime")
    folder = tmp_path_factory.mktemp("models") / "minilm"
    folder.mkdir()
    rng = np.random.default_rng(5)
    barred = np.array([[b[0] == "I" and a[1:] != b[1:] for b in LABELS] for a in LABELS])
    transitions = np.where(barred, -10000, rng.normal(size=barred.shape))
    start = np.where([label[0] == "I" for label in LABELS], -10000, rng.normal(size=len(LABELS)))
    settings = {
        "format": 1,
        "labels": LABELS,
        "fine": list(FINE_OF),
        "fine_of": FINE_OF,
        "start": start.tolist(),
        "transitions": transitions.tolist(),
        "second_opinion": 0.0,
        "price": 0.3,
        "calibration": {tag: {"slope": 0.9, "offset": 0.1} for tag in TAGS},
        "fine_calibration": {"slope": 0.8, "offset": -0.1},
        "prior": {tag: rng.normal(size=len(PRIOR_FEATURES)).tolist() for tag in TAGS},
        "max_pieces_per_token": 8,
        "window": 512,
        "stride": 384,
    }
    (folder / "recognizer.json").write_text(json.dumps(settings))
    (folder / "tokenizer.json").write_text(_tokenizer())
    write_network(folder / "model.onnx")
    return folder


@pytest.fixture(scope="session", params=["crf", "minilm-ner"])
def tagger(request: pytest.FixtureRequest) -> Tagger:
    """Each kind of tagger, for what all of them promise."""
    if request.param == "crf":
        from deixis.tools.tagger.crf import CrfTagger

        return CrfTagger()
    from deixis.tools.tagger.minilm import MiniLmTagger

    return MiniLmTagger(request.getfixturevalue("tiny_minilm"))
