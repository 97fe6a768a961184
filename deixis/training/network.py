"""The network of the neural recognizer: MiniLM, casing beside the words, two heads.

MiniLM (Wang et al., 2020, arXiv:2002.10957) reads lower case only, so a learned vector for how a
token is written (`deixis.tools.tagger.casing`) is added to the vector of each of its pieces. One
head scores BIO labels, the other fine types, at the first piece of each token.
"""

import copy
import random
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy, log_softmax

from deixis.base.atomic import whole_file
from deixis.tools.tagger.minilm import SPECIAL
from deixis.training.network_recipe import Recipe

CASINGS = 16
"""Rows of the table of casing: more than there are classes."""

_SPECIAL, _MASK = 999, 103
"""The last of the pieces that are no words, and that which stands for one not to be seen."""

Floats = NDArray[np.float32]


class Example(NamedTuple):
    """One text: pieces with their casing, where tokens begin, and what is learned of tokens.

    ``coarse`` has shape ``(N, L)``: a distribution over labels for each token. ``fine`` has shape
    ``(N,)``: the number of the fine type, -100 where there is none to learn.
    """

    pieces: NDArray[np.int64]
    casing: NDArray[np.int64]
    first: NDArray[np.int64]
    coarse: Floats
    fine: NDArray[np.int64]


class Network(nn.Module):  # type: ignore[misc]  # torch has no types here
    """The recognizer's network.

    Args:
        weights: of the encoder, in safetensors; see `encoder_of`.
        coarse: number of labels.
        fine: number of fine types.
        dropout: before the heads.
    """

    def __init__(self, weights: Path, coarse: int, fine: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder_of(weights)
        width = self.encoder.config.hidden_size
        self.casing = nn.Embedding(CASINGS, width)
        nn.init.zeros_(self.casing.weight)
        self.dropout = nn.Dropout(dropout)
        self.coarse = nn.Linear(width, coarse)
        self.fine = nn.Linear(width, fine) if fine else None

    def forward(self, ids: Any, casing: Any, mask: Any) -> tuple[Any, ...]:
        """Return the scores of labels for every piece, ``(B, P, L)``, and those of fine types.

        Without fine types there are those of labels alone.
        """
        words = self.encoder.embeddings.word_embeddings(ids) + self.casing(casing)
        hidden = self.encoder(inputs_embeds=words, attention_mask=mask).last_hidden_state
        hidden = self.dropout(hidden)
        return tuple(head(hidden) for head in self.heads())

    def heads(self) -> list[Any]:
        """Return the layers that score: that of labels, and that of fine types if there are any."""
        return [self.coarse] if self.fine is None else [self.coarse, self.fine]


def encoder_of(weights: Path) -> Any:
    """Read a BERT-like encoder whose attention heads are 32 numbers wide, as MiniLM's are.

    Args:
        weights: a safetensors file with the names that transformers gives; a pooler is left out.
    """
    from safetensors.torch import load_file
    from transformers import BertConfig, BertModel

    given = {
        name: weight
        for name, weight in load_file(weights).items()
        if not name.startswith("pooler.") and name != "embeddings.position_ids"
    }
    vocabulary, width = given["embeddings.word_embeddings.weight"].shape
    encoder = BertModel(
        BertConfig(
            vocab_size=vocabulary,
            hidden_size=width,
            num_hidden_layers=1 + max(int(n.split(".")[2]) for n in given if n.startswith("enc")),
            num_attention_heads=width // 32,
            intermediate_size=given["encoder.layer.0.intermediate.dense.weight"].shape[0],
            max_position_embeddings=given["embeddings.position_embeddings.weight"].shape[0],
            attn_implementation="eager",
        ),
        add_pooling_layer=False,
    )
    encoder.load_state_dict(given)
    return encoder


def train_network(
    weights: Path, examples: Sequence[Example], fine: int, recipe: Recipe, order: int, device: str
) -> Network:
    """Train a network; the same arguments give the same weights on the same machine.

    Args:
        weights: of the encoder; see `encoder_of`.
        examples: what it learns from.
        fine: number of fine types.
        recipe: its seed says where the network begins.
        order: seed of the order of the examples and of their noise. Networks with the same
            beginning and other orders stay so near each other that their mean is a network, too.
        device: for torch.
    """
    labels = examples[0].coarse.shape[1]
    torch.manual_seed(recipe.seed)
    network: Network = Network(weights, labels, fine, recipe.dropout).to(device)
    torch.manual_seed(order)
    chance = random.Random(order)
    encoder_weights = list(network.encoder.parameters())
    heads = [network.casing, *network.heads()]
    optimizer = torch.optim.AdamW(
        [
            {"params": encoder_weights, "lr": recipe.rate},
            {"params": [p for head in heads for p in head.parameters()], "lr": recipe.head_rate},
        ],
        weight_decay=0.01,
    )
    steps = recipe.epochs * -(-len(examples) // recipe.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / (0.1 * steps)) * max(0.0, 1 - step / steps)
    )
    network.train()
    for _ in range(recipe.epochs):
        for batch in _batches(examples, recipe.batch, chance):
            noisy = [_noisy(example, recipe, chance) for example in batch]
            loss = _loss(network, noisy, recipe.fine_weight, device)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    network.eval()
    return network


def mean_of(networks: Sequence[Network]) -> Network:
    """Return the network whose weights are the means of others' (Wortsman et al., 2022).

    "Model soups", arXiv:2203.05482, section 2: it does about as well as asking all of them.
    """
    mean: Network = copy.deepcopy(networks[0]).eval()
    weights = [network.state_dict() for network in networks]
    mean.load_state_dict(
        {name: sum(own[name] for own in weights) / len(weights) for name in weights[0]}
    )
    return mean


def write_network(network: Network, path: Path) -> None:
    """Keep a network in a safetensors file."""
    from safetensors.torch import save

    weights = {name: weight.cpu().contiguous() for name, weight in network.state_dict().items()}
    with whole_file(path) as file:
        file.write(save(weights))


def read_network(path: Path, encoder: Path, coarse: int, fine: int, device: str) -> Network:
    """Read what `write_network` wrote; the other arguments are those it was made with."""
    from safetensors.torch import load_file

    network: Network = Network(encoder, coarse, fine, 0.0).to(device).eval()
    network.load_state_dict(load_file(path))
    return network


def predict(
    network: Network, examples: Sequence[Example], device: str
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return for each text the scores of labels ``(N, L)`` and of fine types ``(N, F)``."""
    rows: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    iterator = iter(examples)
    with torch.no_grad():
        while batch := list(islice(iterator, 64)):
            found = [scores.cpu().numpy() for scores in network(*_inputs(batch, device))]
            none = np.empty((*found[0].shape[:2], 0))
            coarse, fine = found if len(found) == 2 else (*found, none)
            for row, example in enumerate(batch):
                at = example.first + 1
                rows.append((coarse[row, at].astype(np.float64), fine[row, at].astype(np.float64)))
    return rows


def _inputs(batch: Sequence[Example], device: str) -> tuple[Any, Any, Any]:
    longest = max(len(example.pieces) for example in batch) + 2
    ids, casing, mask = (torch.zeros(len(batch), longest, dtype=torch.long) for _ in range(3))
    for row, example in enumerate(batch):
        size = len(example.pieces)
        ids[row, 0], ids[row, size + 1] = SPECIAL["[CLS]"], SPECIAL["[SEP]"]
        ids[row, 1 : size + 1] = torch.from_numpy(example.pieces)
        casing[row, 1 : size + 1] = torch.from_numpy(example.casing)
        mask[row, : size + 2] = 1
    return ids.to(device), casing.to(device), mask.to(device)


def _loss(network: Network, batch: Sequence[Example], fine_weight: float, device: str) -> Any:
    coarse, *fine = network(*_inputs(batch, device))
    rows = torch.tensor([row for row, e in enumerate(batch) for _ in e.first], device=device)
    places = torch.from_numpy(np.concatenate([e.first for e in batch]) + 1).to(device)
    wanted = torch.from_numpy(np.concatenate([e.coarse for e in batch])).to(device)
    kinds = torch.from_numpy(np.concatenate([e.fine for e in batch])).to(device)
    named = -(wanted * log_softmax(coarse[rows, places], -1)).sum(-1).mean()
    if not bool((kinds >= 0).any()):
        return named
    return named + fine_weight * cross_entropy(fine[0][rows, places], kinds)


def _batches(examples: Sequence[Example], size: int, chance: random.Random) -> list[list[Example]]:
    """Shuffle, and put texts of about the same length together."""
    order = list(range(len(examples)))
    chance.shuffle(order)
    batches = []
    for begin in range(0, len(order), size * 20):
        near = sorted(order[begin : begin + size * 20], key=lambda k: len(examples[k].pieces))
        batches += [[examples[k] for k in near[at : at + size]] for at in range(0, len(near), size)]
    chance.shuffle(batches)
    return batches


def _noisy(example: Example, recipe: Recipe, chance: random.Random) -> Example:
    """Now and then, write a text in small letters, in capitals or like a headline; hide pieces."""
    if chance.random() < recipe.case_noise:
        to = chance.choice([7, 7, 5, 9])  # classes of deixis.tools.tagger.casing
        example = example._replace(casing=np.where(example.casing >= 5, to, example.casing))
    hidden = np.array([chance.random() < recipe.word_noise for _ in example.pieces])
    return example._replace(
        pieces=np.where(hidden & (example.pieces > _SPECIAL), _MASK, example.pieces)
    )
