"""The training of the neural recognizer, with a tiny encoder of random weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.evaluation.datasets.conll import TaggedTweet
from deixis.tools.tagger.marginals import chain_marginals, span_marginals
from deixis.tools.tagger.minilm import MODEL_FOLDER, MiniLmTagger, Pieces
from deixis.training.minilm import examples_of, fine_types_of, start_and_transitions, train_minilm
from deixis.training.recognizer import LABELS
from deixis.type_schema import TypeSchema

pytestmark = pytest.mark.extra("train")

FINE = fine_types_of(TypeSchema.load("fmnerg").types)
NAMES = [
    (("Ann", "Lee"), "PER", "musician"),
    (("Bob",), "PER", "athlete"),
    (("NASA",), "ORG", "government_agency"),
    (("Ajax",), "ORG", "sports_team"),
    (("Lisbon",), "LOC", "city"),
    (("Peru",), "LOC", "country"),
    (("Vogue",), "OTHER", "magazine"),
]


def tweet(number: int) -> TaggedTweet:
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
    return TaggedTweet(str(number), tuple(tokens), tuple(tags), tuple(fine))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: Any) -> Path:
    import torch
    from safetensors.torch import save_file
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30_522,
        hidden_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=512,
    )
    path = Path(tmp_path_factory.mktemp("encoder")) / "model.safetensors"
    save_file(BertModel(config).state_dict(), path)
    return path


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
    from deixis.training.network import Recipe

    samples = [tweet(number) for number in range(140)]
    recipe = Recipe(epochs=8, rate=3e-3, head_rate=1e-2, dropout=0.0)
    for folder in ("one", "two"):
        train_minilm(samples, {}, FINE, weights, tmp_path / folder, recipe)
    for name in ("model.onnx", "recognizer.json", "tokenizer.json"):
        written = [(tmp_path / folder / name).read_bytes() for folder in ("one", "two")]
        assert written[0] == written[1], "the same seed gives the same model"
    spans = MiniLmTagger(tmp_path / "one").tag("we Ann Lee saw NASA saw")
    found = [(span.start, span.end, span.type) for span in spans]
    assert found == [(3, 10, "PER"), (15, 19, "ORG")]
    assert [span.fine_type for span in spans] == ["musician", "government_agency"]


def test_examples_hold_a_label_for_every_token() -> None:
    pieces = Pieces(MODEL_FOLDER / "tokenizer.json", 8)
    (example,) = examples_of([tweet(0)], pieces, FINE)
    labels = [LABELS[place] for place in example.coarse.argmax(axis=1)]
    assert tuple(labels) == tweet(0).tags and (example.coarse.sum(axis=1) == 1).all()
    kinds = [FINE.names[number] if number >= 0 else "O" for number in example.fine]
    assert kinds == [tag.removeprefix("B-").removeprefix("I-") for tag in tweet(0).fine_tags]
    assert len(example.first) == len(tweet(0).tokens) and example.casing.max() < 16
    long = tweet(0)._replace(tokens=("word",) * 700, tags=("O",) * 700, fine_tags=("O",) * 700)
    (cut,) = examples_of([long], pieces, FINE)
    assert len(cut.pieces) == len(cut.first) == len(cut.coarse) == 510


def test_no_span_begins_or_goes_on_against_bio() -> None:
    start, transitions = (np.array(scores) for scores in start_and_transitions())
    scores = np.full((3, len(LABELS)), -20.0)
    scores[:, LABELS.index("I-PER")] = 0.0  # against all that is allowed
    scores[1, LABELS.index("B-LOC")] = -1.0
    nodes, pairs = chain_marginals(scores, start, transitions)
    forbidden = [k for k, label in enumerate(LABELS) if label[0] == "I"]
    assert nodes[0, forbidden].max() == 0.0
    assert all(kind in ("LOC", "PER") for _, _, kind in span_marginals(nodes, pairs, LABELS, 0.05))


def test_noise_changes_how_letters_are_written_and_nothing_else() -> None:
    import random

    from deixis.training.network import _noisy

    (example,) = examples_of([tweet(0)], Pieces(MODEL_FOLDER / "tokenizer.json", 8), FINE)
    noisy = _noisy(example, 1.0, random.Random(0))
    assert (noisy.casing != example.casing).any() and len(set(noisy.casing)) == 1
    assert noisy.pieces is example.pieces and _noisy(example, 0.0, random.Random(0)) is example
