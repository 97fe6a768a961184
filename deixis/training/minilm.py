"""Train the neural recognizer: folder in, folder out.

Several networks (`deixis.training.network`) each learn from all texts but their share of them,
about which they are asked afterwards: price, calibration and the weight of the second opinion
are fitted to those answers. What is shipped is one network, the mean of them all.

The second opinion is that of a conditional random field (`deixis.tools.tagger.crf`): both sets of
scores are added, and one chain gives the probabilities. A field that looks at letters, clusters
and lists of names errs elsewhere than a network does.
"""

import json
import logging
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from deixis.base.atomic import whole_file
from deixis.base.printable import one_line
from deixis.errors import InputError, ModelFileError
from deixis.evaluation.datasets.conll import mentions
from deixis.tools.tagger.field import Told
from deixis.tools.tagger.marginals import Floats, Span, best_spans
from deixis.tools.tagger.minilm import MODEL_FOLDER, Pieces, likeliest, pooled
from deixis.tools.tagger.model_settings import FORMAT
from deixis.training.fitting import best_price, calibrate, candidates_of, platt
from deixis.training.network import (
    Example,
    Network,
    encoder_of,
    mean_of,
    predict,
    read_network,
    train_network,
    write_network,
)
from deixis.training.network_recipe import Recipe
from deixis.training.prior import fit_prior
from deixis.training.samples import Sample, Types

MOST_PIECES, WINDOW, STRIDE = 8, 512, 384
"""Pieces of a token that are read; pieces of a window; how far one window is from the next."""
WORD_PIECES = 30_522
"""Those of uncased BERT, which the tokenizer has."""
FOLDS = 4
"""Networks, and shares of the texts."""
_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4)
"""What the second opinion may weigh: little, for a field reads small letters badly."""
_SLACK = 0.002
"""F1 given up for names that would be missed: what is named wrongly may still be turned down."""
_FORBIDDEN = -10_000.0


def check_encoder(weights: Path) -> None:
    """Check that a network can be built on an encoder.

    Raises:
        ModelFileError: the file is no encoder of this form, or one of other word pieces.
    """
    try:
        sizes = encoder_of(weights).config
    except Exception as error:  # of damaged files and other models, torch raises many kinds
        what = f"no BERT-like encoder in safetensors ({one_line(error)})"
        raise ModelFileError(f"{weights}: {what}") from None
    if sizes.vocab_size != WORD_PIECES or sizes.max_position_embeddings < WINDOW:
        raise ModelFileError(
            f"{weights}: an encoder of {sizes.vocab_size} word pieces and texts of "
            f"{sizes.max_position_embeddings}; {WORD_PIECES} and {WINDOW} are needed, as MiniLM has"
        )


class Fitted(NamedTuple):
    """What was fitted to held-out predictions, as settings of the model, and the F1 (0..1)."""

    settings: dict[str, Any]
    f1: float


def start_and_transitions(types: Types) -> tuple[list[float], list[list[float]]]:
    """Return the scores of first labels and of pairs: 0, or none at all for what is no BIO."""
    start = [_FORBIDDEN if label[0] == "I" else 0.0 for label in types.labels]
    pairs = [
        [
            _FORBIDDEN if new[0] == "I" and (old == "O" or old[2:] != new[2:]) else 0.0
            for new in types.labels
        ]
        for old in types.labels
    ]
    return start, pairs


def examples_of(samples: Sequence[Sample], pieces: Pieces, types: Types) -> list[Example]:
    """Turn tagged texts into what the network learns from."""
    examples, number = [], {label: place for place, label in enumerate(types.labels)}
    for sample in samples:
        ids, casing, first = pieces.cut(list(sample.tokens))
        coarse = np.zeros((len(sample.tokens), len(number)), np.float32)
        coarse[np.arange(len(sample.tokens)), [number[tag] for tag in sample.tags]] = 1.0
        fine = np.full(len(sample.tokens), -100, np.int64)
        for place, tag in enumerate(sample.fine_tags):
            if tag != "O" and tag[2:] in types.fine:
                fine[place] = types.fine.index(tag[2:])
        if len(ids) > WINDOW - 2:
            problem = f"{len(ids)} word pieces; {WINDOW - 2} are learnt from at most: split it"
            raise InputError(f"text {sample.id}: {problem}")
        examples.append(Example(ids, casing, first, coarse, fine))
    return examples


def train_minilm(
    samples: Sequence[Sample],
    types: Types,
    second: Sequence[Told],
    weights: Path,
    out: Path,
    recipe: Recipe,
    *,
    device: str = "cpu",
    keep: Path | None = None,
    told: Callable[[int, int], None] = lambda *_: None,
) -> float:
    """Learn everything from ``samples`` and write it into the folder ``out``.

    Args:
        samples: the training split, with fine tags if there are any.
        types: what the tags may be.
        second: for each sample, what a field says of it that has not seen it.
        weights: of the encoder; see `encoder_of`.
        out: the model folder; its files are replaced one by one, others stay.
        recipe: how the networks are trained.
        device: for torch.
        keep: folder where each network is kept once it is trained; those that are there are not
            trained again.
        told: is told how many of how many networks are trained, whenever one is.

    Returns:
        The F1 (0..1) of what the networks and the field say of samples that they have not seen.
    """
    for folder in (out, keep):
        if folder:  # before an hour of work
            folder.mkdir(parents=True, exist_ok=True)
    examples = examples_of(samples, Pieces(MODEL_FOLDER / "tokenizer.json", MOST_PIECES), types)
    networks, scored = [], dict[int, tuple[Floats, Floats]]()
    for fold in range(FOLDS):
        network = _network(fold, examples, len(types.fine), weights, recipe, device, keep)
        apart = range(fold, len(samples), FOLDS)
        scores = predict(network, [examples[place] for place in apart], device)
        scored |= dict(zip(apart, scores, strict=True))
        networks.append(network)
        told(fold + 1, FOLDS)
    found = fitted(samples, [scored[place] for place in range(len(samples))], second, types)
    settings = {
        "format": FORMAT,
        "labels": list(types.labels),
        "fine": list(types.fine),
        "fine_of": dict(types.coarse_of),
        "max_pieces_per_token": MOST_PIECES,
        "window": WINDOW,
        "stride": STRIDE,
        "prior": fit_prior(samples, types),
        **found.settings,
    }
    settings["start"], settings["transitions"] = start_and_transitions(types)
    _write(mean_of(networks), out, settings)
    return found.f1


def _network(
    fold: int,
    examples: Sequence[Example],
    fine: int,
    weights: Path,
    recipe: Recipe,
    device: str,
    keep: Path | None,
) -> Network:
    """Train the network that leaves out a share of the examples, or read it where it was kept."""
    path = keep and keep / f"network-{fold}.safetensors"
    if path and path.exists():
        return read_network(path, weights, examples[0].coarse.shape[1], fine, device)
    rest = [example for place, example in enumerate(examples) if place % FOLDS != fold]
    network = train_network(weights, rest, fine, recipe, recipe.seed + fold, device)
    if path:
        write_network(network, path)
    return network


def fitted(
    samples: Sequence[Sample],
    told: Sequence[tuple[Floats, Floats]],
    second: Sequence[Told],
    types: Types,
) -> Fitted:
    """Fit what can be fitted to what is said of texts by networks that have not seen them.

    Args:
        samples: the texts.
        told: scores of labels and of fine types, for each text.
        second: what a field says of each.
        types: what the tags may be.
    """
    best: tuple[float, float, float, list[dict[Span, float]]] = (-1.0, 0.0, 0.0, [])
    opening, allowed = (np.array(scores) for scores in start_and_transitions(types))
    for weight in _WEIGHTS:
        candidates = []
        for sample, (coarse, _), opinion in zip(samples, told, second, strict=True):
            scores, pairs = pooled(coarse, allowed, opinion, weight)
            candidates.append(candidates_of(sample, scores, opening, pairs, types))
        price, f1 = best_price(samples, candidates, _SLACK)
        best = max(best, (f1, weight, price, candidates))
    f1, weight, price, candidates = best
    raw, right = [], []
    for sample, found, (_, fine) in zip(samples, candidates, told, strict=True):
        true = {tuple(mention) for mention in mentions(sample.tags)}
        for (start, end, kind), _ in best_spans(found, price):
            gold = sample.fine_tags[start][2:] if sample.fine_tags else ""
            if gold in types.fine and (start, end, kind) in true:
                name, probability = fine_type(fine[start:end], kind, types)
                raw.append(probability)
                right.append(name == gold)
    settings = {
        "second_opinion": weight,
        "price": price,
        "calibration": calibrate(samples, candidates, price, types),
        "fine_calibration": platt(raw, right),
    }
    return Fitted(settings, f1)


def fine_type(scores: Floats, kind: str, types: Types) -> tuple[str, float]:
    """Return the likeliest fine type of a span of a coarse type, and its probability."""
    own = [name for name in types.fine if types.coarse_of[name] == kind]
    columns = [types.fine.index(name) for name in own]
    best, probability = likeliest(scores[:, columns])
    return own[best], probability


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

    One bit of them stays unused: processors without dot products of bytes add up pairs of products
    in 16 bits, which would overflow.
    """
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    full = path.with_suffix(".float.onnx")
    examples = tuple(torch.ones(2, 8, dtype=torch.long) for _ in range(3))  # one is taken for one
    with warnings.catch_warnings(), _unlogged():
        warnings.simplefilter("ignore")  # of what torch and the exporter do among themselves
        program = torch.onnx.export(
            network.cpu().eval(),
            examples,
            input_names=["ids", "casing", "mask"],
            output_names=["coarse", *(["fine"] if network.fine is not None else [])],
            dynamic_shapes=[{0: "batch", 1: "pieces"}] * 3,
            opset_version=18,
            verbose=False,
        )
        program.save(str(full), external_data=False)
        quantize_dynamic(
            str(full), str(path), per_channel=True, reduce_range=True, weight_type=QuantType.QInt8
        )


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep from the log what torch and onnxruntime advise their own developers."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
