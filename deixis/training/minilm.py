"""Train the neural recognizer: folder in, folder out.

The network of `deixis.training.network` learns labels and fine types together. Its price and its
calibration come from texts that a second network has not seen: every fifth one.
"""

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from deixis.base.atomic import whole_file
from deixis.evaluation.datasets.conll import TaggedTweet, mentions
from deixis.tools.tagger.base import FORMAT
from deixis.tools.tagger.marginals import Floats, Span, best_spans, chain_marginals, span_marginals
from deixis.tools.tagger.minilm import MODEL_FOLDER, Pieces
from deixis.training.network import Example, Network, Recipe, predict, train_network
from deixis.training.recognizer import LABELS, Shown, best_price, calibrate, fit_prior, platt

MOST_PIECES, WINDOW, STRIDE = 8, 512, 384
"""Pieces of a token that are read; pieces of a window; how far one window is from the next."""
APART = 5
"""One text in so many is held out for price and calibration."""
_FORBIDDEN = -10_000.0
_FLOOR = 0.05


class FineTypes(NamedTuple):
    """The fine types, and the coarse tag that each belongs to."""

    names: tuple[str, ...]
    tag_of: dict[str, str]


class Learnt(NamedTuple):
    """What the calibration of a network is fitted to, by sample."""

    candidates: list[dict[Span, float]]
    fine: list[Floats]


def start_and_transitions() -> tuple[list[float], list[list[float]]]:
    """Return the scores of first labels and of pairs: 0, or none at all for what is no BIO."""
    start = [_FORBIDDEN if label[0] == "I" else 0.0 for label in LABELS]
    pairs = [
        [
            _FORBIDDEN if new[0] == "I" and (old == "O" or old[2:] != new[2:]) else 0.0
            for new in LABELS
        ]
        for old in LABELS
    ]
    return start, pairs


def examples_of(
    samples: Sequence[TaggedTweet], pieces: Pieces, fine_types: FineTypes
) -> list[Example]:
    """Turn tagged tweets into what the network learns from."""
    examples = []
    for sample in samples:
        ids, casing, first = pieces.cut(list(sample.tokens))
        coarse = np.zeros((len(sample.tokens), len(LABELS)), np.float32)
        coarse[np.arange(len(sample.tokens)), [LABELS.index(tag) for tag in sample.tags]] = 1.0
        fine = np.full(len(sample.tokens), -100, np.int64)
        for place, tag in enumerate(sample.fine_tags):
            if tag != "O" and tag[2:] in fine_types.names:
                fine[place] = fine_types.names.index(tag[2:])
        most = WINDOW - 2  # a tweet is never longer, a text may be
        kept = int(np.searchsorted(first, most))
        examples.append(
            Example(ids[:most], casing[:most], first[:kept], coarse[:kept], fine[:kept])
        )
    return examples


def train_minilm(
    samples: Sequence[TaggedTweet],
    shown: Shown,
    fine_types: FineTypes,
    weights: Path,
    out: Path,
    recipe: Recipe,
    device: str = "cpu",
) -> None:
    """Learn everything from ``samples`` and write it into the folder ``out``.

    Args:
        samples: the training split, with fine tags.
        shown: what `read_voc` gives for it.
        fine_types: what the fine tags may be.
        weights: of the encoder; see `encoder_of`.
        out: the model folder; its files are replaced one by one, others stay.
        recipe: how the network is trained.
        device: for torch.
    """
    pieces = Pieces(MODEL_FOLDER / "tokenizer.json", MOST_PIECES)
    examples = examples_of(samples, pieces, fine_types)
    settings = {
        "format": FORMAT,
        "labels": list(LABELS),
        "fine": list(fine_types.names),
        "fine_of": fine_types.tag_of,
        "max_pieces_per_token": MOST_PIECES,
        "window": WINDOW,
        "stride": STRIDE,
        "prior": fit_prior(samples, shown),
    }
    settings["start"], settings["transitions"] = start_and_transitions()
    apart = range(0, len(samples), APART)
    rest = [example for place, example in enumerate(examples) if place % APART]
    network = train_network(weights, rest, len(fine_types.names), recipe, device)
    held_out = [samples[place] for place in apart]
    learnt = read(network, [examples[place] for place in apart], device)
    settings |= fitted(held_out, learnt, fine_types)
    network = train_network(weights, examples, len(fine_types.names), recipe, device)
    out.mkdir(parents=True, exist_ok=True)
    _write(network, out, settings)


def read(network: Network, examples: Sequence[Example], device: str) -> Learnt:
    """Return the candidate spans of texts, and what is said of fine types at each token."""
    start, transitions = (np.array(scores) for scores in start_and_transitions())
    candidates, fine = [], []
    for coarse, kinds in predict(network, examples, device):
        nodes, pairs = chain_marginals(coarse.astype(np.float64), start, transitions)
        candidates.append(span_marginals(nodes, pairs, LABELS, _FLOOR))
        fine.append(kinds.astype(np.float64))
    return Learnt(candidates, fine)


def fitted(samples: Sequence[TaggedTweet], learnt: Learnt, fine_types: FineTypes) -> dict[str, Any]:
    """Fit price and calibration to what a network says of texts that it has not seen."""
    price = best_price(samples, learnt.candidates)
    raw, right = [], []
    for sample, candidates, fine in zip(samples, learnt.candidates, learnt.fine, strict=True):
        gold = {tuple(mention) for mention in mentions(sample.tags)}
        for (start, end, kind), _ in best_spans(candidates, price):
            if (start, end, kind) in gold:
                name, probability = fine_type(fine[start:end], kind, fine_types)
                raw.append(probability)
                right.append(name == sample.fine_tags[start][2:])
    return {
        "price": price,
        "calibration": calibrate(samples, learnt.candidates, price),
        "fine_calibration": platt(raw, right),
    }


def fine_type(scores: Floats, kind: str, fine_types: FineTypes) -> tuple[str, float]:
    """Return the likeliest fine type of a span of a coarse type, and its probability."""
    own = [name for name in fine_types.names if fine_types.tag_of[name] == kind]
    mean = scores[:, [fine_types.names.index(name) for name in own]].mean(axis=0)
    shares = np.exp(mean - np.logaddexp.reduce(mean))
    return own[int(shares.argmax())], float(shares.max())


def _write(network: Network, out: Path, settings: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.onnx"
        export(network, path)
        with whole_file(out / "model.onnx") as file:
            file.write(path.read_bytes())
    tokenizer = MODEL_FOLDER / "tokenizer.json"
    if out / tokenizer.name != tokenizer:
        shutil.copyfile(tokenizer, out / tokenizer.name)
    text = json.dumps(settings, indent=1, sort_keys=True)
    with whole_file(out / "recognizer.json") as file:
        file.write(f"{text}\n".encode())


def export(network: Network, path: Path) -> None:
    """Write a network as ONNX with weights of 8 bits, about 23 MB.

    Weights are unsigned: on processors without dot products of bytes, signed ones overflow.
    """
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    full = path.with_suffix(".float.onnx")
    shape = torch.ones(1, 8, dtype=torch.long)
    axes = {0: "batch", 1: "pieces"}
    torch.onnx.export(
        network.cpu().eval(),
        (shape, shape, shape),
        str(full),
        input_names=["ids", "casing", "mask"],
        output_names=["coarse", "fine"],
        dynamic_axes=dict.fromkeys(("ids", "casing", "mask", "coarse", "fine"), axes),
        opset_version=18,
        dynamo=False,
    )
    quantize_dynamic(str(full), str(path), per_channel=True, weight_type=QuantType.QUInt8)


def fine_types_of(types: Sequence[Any]) -> FineTypes:
    """Return the fine types that a type schema lists, under the tags that its types name."""
    tag_of = {fine: kind.crf for kind in types for fine in kind.fine_types}
    return FineTypes(tuple(tag_of), tag_of)
