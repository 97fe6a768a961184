"""Grounding DINO as transformers has it: read, asked in prompts, answered in shares of a frame."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.errors import ToolError
from deixis.tools.base import Picture
from deixis.weights.micro_batch import AT_ONCE, MicroBatch
from deixis.weights.torch_models import once, packages, part, pretrained

_PICTURES = 8  # whose features are kept at the same time, about 40 MB each
_SLENDER = 16  # below 1:16 the model has fewer places than queries

Words = tuple[int, ...]  # the tokens of a phrase


class Loaded(NamedTuple):
    """A model and what goes with it; it runs in a ``turn``.

    ``special`` are the tokens that end a phrase: CLS, SEP, full stop, question mark.
    """

    model: Any
    seen: Any
    processor: Any
    special: list[int]
    turn: MicroBatch


class Prompt(NamedTuple):
    """One row of a forward pass: what is asked of which picture, and where each phrase is."""

    view: int
    tokens: list[int]
    spans: list[tuple[Words, slice]]


class View(NamedTuple):
    """A picture as the model takes it: its place among those given, pixels ``(1, 3, h, w)``."""

    place: int
    pixels: Any
    mask: Any
    frame: tuple[int, int]  # width and height, in pixels of the picture, that boxes refer to


class Evidence(NamedTuple):
    """What all queries say of one phrase, in shares of the frame."""

    boxes: NDArray[np.float64]  # (Q, 4)
    scores: NDArray[np.float64]  # (Q,)
    of_words: NDArray[np.float64]  # (Q,)


@once
def load(weights: str, device: str, dtype: str) -> Loaded:
    """Return the model, read by the first caller of the process and kept.

    Raises:
        ModelFileError, SettingsError, MissingExtraError: as `torch_models.pretrained`.
    """
    _, transformers = packages()
    kind = transformers.GroundingDinoForObjectDetection
    model = pretrained(kind, weights, device, dtype)
    processor = part(transformers.GroundingDinoProcessor, weights)
    from deixis.tools.grounding_dino.layers import refit  # it imports torch

    special = model.model.special_tokens.tolist()
    turn = MicroBatch(AT_ONCE[model.device.type])
    loaded = Loaded(model, refit(model), processor, special, turn)
    words_of(loaded, "")  # sets the tokenizer's limit, which threads that use it must not do
    return loaded


def words_of(loaded: Loaded, phrase: str) -> Words:
    """Return a phrase's tokens; those that end a phrase are left out, also when spelled out."""
    tokens = loaded.processor.tokenizer(
        phrase.strip().lower(),
        add_special_tokens=False,
        split_special_tokens=True,
        truncation=True,
        max_length=loaded.model.config.max_text_len - 3,
    )["input_ids"]
    return tuple(token for token in tokens if token not in loaded.special)


def prompts_of(
    loaded: Loaded, phrases: list[Words], exact: bool
) -> Iterator[tuple[list[int], list[tuple[Words, slice]]]]:
    """Yield ``CLS phrase . phrase . SEP`` and each phrase's place, as long as the model takes."""
    begin, end, stop, _ = loaded.special
    tokens = [begin]
    spans: list[tuple[Words, slice]] = []
    for words in phrases:
        full = len(tokens) + len(words) + 2 > loaded.model.config.max_text_len
        if spans and (exact or full):
            yield [*tokens, end], spans
            tokens, spans = [begin], []
        spans.append((words, slice(len(tokens), len(tokens) + len(words))))
        tokens += [*words, stop]
    if spans:
        yield [*tokens, end], spans


def views_of(
    loaded: Loaded, pictures: Sequence[Picture], needed: Sequence[bool]
) -> Iterator[list[View]]:
    """Yield the pictures as the model takes them, those of one size together."""
    by_size: dict[tuple[int, ...], list[View]] = {}
    for index, picture in enumerate(pictures):
        if not needed[index]:
            continue
        height, width = picture.shape[:2]
        frame = (max(width, -(-height // _SLENDER)), max(height, -(-width // _SLENDER)))
        image = Image.fromarray(picture)
        if frame != image.size:
            image = image.crop((0, 0, *frame))
        taken = loaded.processor.image_processor(images=image, return_tensors="pt")
        pixels = taken["pixel_values"].to(loaded.model.device, loaded.model.dtype)
        mask = taken["pixel_mask"].to(loaded.model.device)
        by_size.setdefault(tuple(pixels.shape), []).append(View(index, pixels, mask, frame))
    for views in by_size.values():
        for start in range(0, len(views), _PICTURES):
            yield views[start : start + _PICTURES]


def answer(
    loaded: Loaded, views: list[View], prompts: Sequence[Prompt], features: list[Any], exact: bool
) -> list[dict[Words, Evidence]]:
    """Run one batch of prompts; return what is known of the phrases of each."""
    torch, _ = packages()
    model = loaded.model
    longest = max(len(prompt.tokens) for prompt in prompts)
    tokens = torch.zeros((len(prompts), longest), dtype=torch.long)
    there = torch.zeros_like(tokens)
    for row, prompt in enumerate(prompts):
        tokens[row, : len(prompt.tokens)] = torch.tensor(prompt.tokens)
        there[row, : len(prompt.tokens)] = 1
    levels = zip(*(features[prompt.view] for prompt in prompts), strict=True)
    loaded.seen.rows = [
        [torch.cat(parts) for parts in zip(*level, strict=True)] for level in levels
    ]
    pixels = views[0].pixels
    try:
        out = model(
            pixel_values=pixels.expand(len(prompts), -1, -1, -1),  # only their size is looked at
            pixel_mask=torch.cat([views[prompt.view].mask for prompt in prompts]),
            input_ids=tokens.to(model.device),
            attention_mask=there.to(model.device),
        )
    finally:
        loaded.seen.rows = None
    scores = out.logits.float().sigmoid().cpu().numpy().astype(np.float64)  # (rows, Q, tokens)
    boxes = out.pred_boxes.float().cpu().numpy().astype(np.float64)  # (rows, Q, 4)
    if not (np.isfinite(scores).all() and np.isfinite(boxes).all()):
        raise ToolError("grounding-dino: the numbers overflow; write dtype=float32")
    evidence = []
    for row, prompt in enumerate(prompts):
        known = {}
        for words, span in prompt.spans:
            of_words = scores[row, :, span].max(axis=-1)
            best = scores[row].max(axis=-1) if exact else of_words
            known[words] = Evidence(boxes[row], best, of_words)
        evidence.append(known)
    return evidence
