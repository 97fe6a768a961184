"""Grounding DINO: boxes for any phrase.

Liu et al., "Grounding DINO: Marrying DINO with Grounded Pre-Training for Open-Set Object
Detection" (2023, arXiv:2303.05499). Each of 900 queries has a box and one score for each token of
the prompt. transformers' own labels are not used: they are made of all tokens above a threshold
and so may straddle two phrases. Here every phrase knows its tokens.
"""

from collections.abc import Sequence
from typing import Any, Literal

from deixis.tools.base import Detection, Picture
from deixis.tools.grounding_dino.model import (
    Evidence,
    Loaded,
    Prompt,
    View,
    Words,
    answer,
    load,
    prompts_of,
    views_of,
    words_of,
)
from deixis.tools.open_vocabulary import (
    Limit,
    OpenVocabulary,
    Share,
    best_first,
    corners,
    detections,
)
from deixis.weights.micro_batch import AT_ONCE
from deixis.weights.short_memory import Done, in_batches
from deixis.weights.torch_models import Precision, packages

Asked = tuple[View, list[Words]]


class GroundingDino(OpenVocabulary):
    """A detector that takes any phrase, best in English and as short as a noun phrase.

    One without any word finds nothing. Case, full stops and question marks make no difference;
    what exceeds 253 tokens is cut off.

    Args:
        weights: a folder, or ``OWNER/REPO[@REVISION]`` on the hub; safetensors only.
        mode: ``exact`` asks for one phrase at a time, so that no phrase changes what another
            finds; the backbone sees a picture once. ``fast`` asks for all phrases in one
            prompt: several times faster, with somewhat other boxes and scores.
        box_threshold: boxes that score less are dropped, 0..1. The score is that of the
            likeliest token: of the whole prompt in ``exact`` mode (what transformers gives),
            of the phrase's words in ``fast`` mode.
        text_threshold: boxes whose likeliest word of the phrase scores less are dropped, 0..1.
        nms: of two boxes of one phrase with a larger intersection over union than this, the
            better is kept; 1 keeps both.
        limit: most boxes of one phrase.
        device: ``auto`` is CUDA, else MPS, else CPU.
            On a CPU the tiny model takes 1.6 GB in all for any number of phrases.
        dtype: float32, unless memory is short: coordinates in 16 bits are up to 4 pixels off
            in 1000 (bfloat16), or half a pixel (float16).
    """

    name = "grounding-dino"

    def __init__(
        self,
        weights: str = "IDEA-Research/grounding-dino-tiny",
        mode: Literal["exact", "fast"] = "exact",
        box_threshold: Share = 0.25,
        text_threshold: Share = 0.25,
        nms: Share = 0.7,
        limit: Limit = 20,
        device: str = "auto",
        dtype: Precision = "float32",
    ) -> None:
        self._source = (weights, device, dtype)
        self._mode = mode
        self._thresholds = (box_threshold, text_threshold)
        self._nms = nms
        self._limit = limit

    def detect_all(
        self, pictures: Sequence[Picture], phrases_per_picture: Sequence[Sequence[str]]
    ) -> Done:
        """Find phrases in several pictures; prompts for pictures of one size run together.

        Those that other threads ask of pictures of that size run with them.

        Args:
            pictures: as for `detect`.
            phrases_per_picture: one list of phrases per picture.

        Returns:
            One list of detections per picture, as `detect` returns it, and a warning when memory
            was short. Results are those of one picture at a time, but for rounding.

        Raises:
            As `detect`.
        """
        kept: list[list[Detection]] = [[] for _ in pictures]
        if not any(phrases_per_picture):
            return Done(kept, None)
        loaded = load(*self._source)
        asked = [
            {phrase: words_of(loaded, phrase) for phrase in phrases}
            for phrases in phrases_per_picture
        ]
        warnings: dict[str, None] = {}
        for views in views_of(
            loaded, pictures, [any(words_by_phrase.values()) for words_by_phrase in asked]
        ):
            wanted = [(view, list(dict.fromkeys(asked[view.place].values()))) for view in views]
            done = loaded.turn.run(
                (self._mode, views[0].pixels.shape), wanted, lambda some: self._ask(loaded, some)
            )
            if done.warning:
                warnings[done.warning] = None
            for view, known in zip(views, done.results, strict=True):
                kept[view.place] = best_first(
                    [
                        detection
                        for phrase, words in asked[view.place].items()
                        if words
                        for detection in self._kept(
                            phrase, known[words], view, pictures[view.place]
                        )
                    ]
                )
        return Done(kept, "; ".join(warnings) or None)

    def _ask(self, loaded: Loaded, wanted: Sequence[Asked]) -> Done:
        """Run backbone and prompts; return for each view the evidence of its phrases."""
        torch, _ = packages()
        views = [view for view, _ in wanted]

        def look(some: Sequence[View]) -> list[Any]:
            pixels, mask = (torch.cat([view[item] for view in some]) for item in (1, 2))
            levels = loaded.seen.look(pixels, mask)
            return [
                [tuple(part[row : row + 1] for part in level) for level in levels]
                for row in range(len(some))
            ]

        def ask(some: Sequence[Prompt]) -> list[dict[Words, Evidence]]:
            return answer(loaded, views, some, features.results, self._mode == "exact")

        prompts = [
            Prompt(number, *prompt)
            for number, (_, words) in enumerate(wanted)
            for prompt in prompts_of(
                loaded, [phrase for phrase in words if phrase], self._mode == "exact"
            )
        ]
        evidence: list[dict[Words, Evidence]] = [{} for _ in views]
        size = AT_ONCE[loaded.model.device.type]
        with torch.inference_mode():
            features = in_batches(look, views, size, self.name)
            answers = in_batches(ask, prompts, size, self.name)
        for prompt, known in zip(prompts, answers.results, strict=True):
            evidence[prompt.view].update(known)
        warnings = dict.fromkeys(done.warning for done in (features, answers) if done.warning)
        return Done(evidence, "; ".join(warnings) or None)

    def _kept(self, phrase: str, known: Evidence, view: View, picture: Picture) -> list[Detection]:
        kept = (known.scores > self._thresholds[0]) & (known.of_words > self._thresholds[1])
        return detections(
            phrase,
            corners(known.boxes[kept], *view.frame),
            known.scores[kept],
            picture,
            nms=self._nms,
            limit=self._limit,
        )
