"""The training of the neural recognizer, with a tiny encoder of random weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.errors import InputError
from deixis.tools.tagger.marginals import chain_marginals, span_marginals
from deixis.tools.tagger.minilm import MODEL_FOLDER, MiniLmTagger, Pieces
from deixis.training import minilm
from deixis.training.minilm import (
    Told,
    examples_of,
    fitted,
    start_and_transitions,
    train_minilm,
)
from deixis.training.network_recipe import Recipe
from deixis.training.samples import Sample, shipped_fine_types
from deixis.type_schema import TypeSchema

pytestmark = pytest.mark.extra("train")

TYPES = shipped_fine_types(TypeSchema.load("fmnerg").types)
LABELS = TYPES.labels
NAMES = [
    (("Ann", "Lee"), "PER", "musician"),
    (("Bob",), "PER", "athlete"),
    (("NASA",), "ORG", "government_agency"),
    (("Ajax",), "ORG", "sports_team"),
    (("Lisbon",), "LOC", "city"),
    (("Peru",), "LOC", "country"),
    (("Vogue",), "OTHER", "magazine"),
]


def tweet(number: int) -> Sample:
    """Two names in a sentence of small words."""
    tokens, tags, fine = ["we"], ["O"], ["O"]
    for words, kind, own in (NAMES[number % 7], NAMES[(number * 3 + 1) % 7]):
        for place, word in enumerate(words):
            tokens.append(word)
            tags.append(f"{'I' if place else 'B'}-{kind}")
            fine.append(f"{'I' if place else 'B'}-{own}")
        tokens.append("saw")
        tags.append("O")
        fine.append("O")
    shown = (number % 2 == 1,) * 2  # every other picture shows all there is to see
    return Sample(str(number), tuple(tokens), tuple(tags), tuple(fine), shown)


def silence(samples: list[Sample]) -> list[Told]:
    """A field that has nothing to say."""
    pairs = np.zeros((len(LABELS), len(LABELS)))
    return [(np.zeros((len(sample.tokens), len(LABELS))), pairs) for sample in samples]


def truth(samples: list[Sample], sure: float = 9.0) -> list[Told]:
    """A field that knows everything."""
    told = silence(samples)
    for sample, (scores, _) in zip(samples, told, strict=True):
        scores[range(len(sample.tags)), [LABELS.index(tag) for tag in sample.tags]] = sure
    return told


def test_the_encoder_is_read_with_its_sizes(weights: Path) -> None:
    from safetensors.torch import load_file

    from deixis.training.network import encoder_of

    encoder = encoder_of(weights)
    config = encoder.config
    sizes = (config.hidden_size, config.num_attention_heads, config.num_hidden_layers)
    assert sizes == (64, 2, 1) and config.intermediate_size == 64
    stored = load_file(weights)
    assert all((stored[name] == weight).all() for name, weight in encoder.state_dict().items())


def test_what_is_learnt_is_written_and_finds_names(weights: Path, tmp_path: Path) -> None:
    samples = [tweet(number) for number in range(140)]
    recipe = Recipe(epochs=8, rate=3e-3, head_rate=1e-2, dropout=0.0)
    train_minilm(samples, TYPES, silence(samples), weights, tmp_path, recipe)
    spans = MiniLmTagger(tmp_path).tag("we Ann Lee saw NASA saw")
    found = [(span.start, span.end, span.type) for span in spans]
    assert found == [(3, 10, "PER"), (15, 19, "ORG")]
    assert [span.fine_type for span in spans] == ["musician", "government_agency"]


def test_training_goes_on_from_the_networks_that_were_kept(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples, keep = [tweet(number) for number in range(16)], tmp_path / "kept"
    given = (samples, TYPES, silence(samples), weights)
    train_minilm(*given, tmp_path / "one", Recipe(epochs=1), keep=keep)
    assert len(list(keep.iterdir())) == 4
    (keep / "network-2.safetensors").unlink()
    orders, train = [], minilm.train_network

    def trained(*arguments: Any) -> Any:
        orders.append(arguments[4])
        return train(*arguments)

    monkeypatch.setattr(minilm, "train_network", trained)
    train_minilm(*given, tmp_path / "two", Recipe(epochs=1), keep=keep)
    assert orders == [3], "the third network alone"
    models = [(tmp_path / name / "model.onnx").read_bytes() for name in ("one", "two")]
    assert models[0] == models[1], "the same seed gives the same network"


@pytest.mark.parametrize("place", ["out", "keep"])
def test_a_place_that_is_a_file_is_told_before_training(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(minilm, "train_network", lambda *_: pytest.fail("it is trained"))
    (tmp_path / place).write_text("mine")
    samples = [tweet(0)]
    with pytest.raises(FileExistsError):
        train_minilm(
            samples,
            TYPES,
            silence(samples),
            weights,
            tmp_path / "out",
            Recipe(epochs=1),
            keep=tmp_path / "keep",
        )
    assert (tmp_path / place).read_text() == "mine"


def test_the_mean_of_networks_has_the_means_of_their_weights(weights: Path) -> None:
    from deixis.training.network import Network, mean_of

    networks = [Network(weights, 9, 51, 0.0) for _ in range(3)]
    mean = mean_of(networks)
    own = [network.coarse.weight.detach().numpy() for network in networks]
    assert np.abs(own[0] - own[1]).max() > 0.01
    assert mean.coarse.weight.detach().numpy() == pytest.approx(np.mean(own, axis=0), abs=1e-6)
    assert networks[0].coarse.weight is not mean.coarse.weight


def test_what_is_exported_says_what_the_network_says(weights: Path, tmp_path: Path) -> None:
    import onnxruntime
    import torch

    from deixis.training.minilm import export
    from deixis.training.network import Network

    network = Network(weights, 9, 51, 0.0).eval()
    torch.nn.init.normal_(network.casing.weight)
    chance = np.random.default_rng(0)
    ids, casing = chance.integers(1000, 30_000, (3, 20)), chance.integers(0, 12, (3, 20))
    mask = np.ones_like(ids)
    mask[1, 12:] = 0
    with torch.no_grad():
        expected = network(*(torch.from_numpy(given) for given in (ids, casing, mask)))
    export(network, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    found = session.run(["coarse", "fine"], {"ids": ids, "casing": casing, "mask": mask})
    for one, other in zip(found, expected, strict=True):
        told = [scores[mask == 1].ravel() for scores in (one, other.numpy())]
        assert np.corrcoef(*told)[0, 1] > 0.98


def test_the_second_opinion_weighs_as_much_as_it_is_worth() -> None:
    samples = [tweet(number) for number in range(20)]
    fine = [np.zeros((len(sample.tokens), len(TYPES.fine))) for sample in samples]
    knows, silent = truth(samples), silence(samples)
    wrong = truth([tweet(number + 1) for number in range(20)])
    wrong = [
        (np.resize(scores, (len(sample.tokens), len(LABELS))), pairs)
        for sample, (scores, pairs) in zip(samples, wrong, strict=True)
    ]

    def weight(network: list[Told], field: list[Told]) -> float:
        told = [(scores, own) for (scores, _), own in zip(network, fine, strict=True)]
        return float(fitted(samples, told, field, TYPES).settings["second_opinion"])

    assert weight(silent, knows) > 0.0
    assert weight(truth(samples, sure=4.0), wrong) < 0.4


def test_examples_hold_a_label_for_every_token() -> None:
    pieces = Pieces(MODEL_FOLDER / "tokenizer.json", 8)
    (example,) = examples_of([tweet(0)], pieces, TYPES)
    labels = [LABELS[place] for place in example.coarse.argmax(axis=1)]
    assert tuple(labels) == tweet(0).tags and (example.coarse.sum(axis=1) == 1).all()
    kinds = [TYPES.fine[number] if number >= 0 else "O" for number in example.fine]
    assert kinds == [tag.removeprefix("B-").removeprefix("I-") for tag in tweet(0).fine_tags]
    assert len(example.first) == len(tweet(0).tokens) and example.casing.max() < 16
    long = tweet(0)._replace(tokens=("word",) * 700, tags=("O",) * 700, fine_tags=("O",) * 700)
    with pytest.raises(InputError, match=r"text 0: 700 word pieces; .*510.*: split it"):
        examples_of([long], pieces, TYPES)


def test_no_span_begins_or_goes_on_against_bio() -> None:
    start, transitions = (np.array(scores) for scores in start_and_transitions(TYPES))
    scores = np.full((3, len(LABELS)), -20.0)
    scores[:, LABELS.index("I-PER")] = 0.0  # against all that is allowed
    scores[1, LABELS.index("B-LOC")] = -1.0
    nodes, pairs = chain_marginals(scores, start, transitions)
    forbidden = [k for k, label in enumerate(LABELS) if label[0] == "I"]
    assert nodes[0, forbidden].max() == 0.0
    assert all(kind in ("LOC", "PER") for _, _, kind in span_marginals(nodes, pairs, LABELS, 0.05))


def test_noise_changes_how_letters_are_written_and_hides_words() -> None:
    import random

    from deixis.training.network import _noisy

    (example,) = examples_of([tweet(0)], Pieces(MODEL_FOLDER / "tokenizer.json", 8), TYPES)
    quiet = Recipe(epochs=1, case_noise=0.0, word_noise=0.0)
    chance = random.Random(0)
    loud = _noisy(example, quiet._replace(case_noise=1.0), chance)
    assert (loud.casing != example.casing).any() and len(set(loud.casing)) == 1
    assert (loud.pieces == example.pieces).all()
    hidden = _noisy(example, quiet._replace(word_noise=1.0), chance)
    assert set(hidden.pieces) == {103} and (hidden.casing == example.casing).all()
    same = _noisy(example, quiet, chance)
    assert (same.pieces == example.pieces).all() and (same.casing == example.casing).all()
