"""Grounding DINO, tiny and with random weights, saved as real models are.

What it finds means nothing; but it must be what transformers' own processor and model find with
the same weights, and everything around it is real.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image
from scipy.optimize import linear_sum_assignment

from deixis.errors import ModelFileError
from deixis.tools import registry
from deixis.tools.base import Detection, Picture
from deixis.tools.grounding_dino import detector as grounding_dino
from deixis.tools.grounding_dino import model as grounding_dino_model
from deixis.tools.grounding_dino.detector import GroundingDino

from .shown import picture

pytestmark = [pytest.mark.slow, pytest.mark.extra]

WORDS = ["a", "cat", "dog", "the", "red", "flag", "woman", "in", "uniform", "##s", "[", "]", "sep"]
OPEN = "box_threshold=0&text_threshold=0&nms=1&limit=900"
MODES = ("exact", "fast")
ODD = [
    "",
    "   ",
    "?.",
    "\u200b\x00",
    "猫",
    "الكلب",
    "🐈 cat",
    "cat[SEP]dog",
    "a" * 5000,
    "cat\ndog",
]


def reference(tiny_dino: Path, shown: Picture, phrase: str, threshold: float) -> list[Detection]:
    """Return what transformers' own processor and model find."""
    model = hf.GroundingDinoForObjectDetection.from_pretrained(tiny_dino).eval()
    processor = hf.GroundingDinoProcessor.from_pretrained(tiny_dino)
    image = Image.fromarray(shown)
    inputs = processor(images=image, text=[[phrase]], return_tensors="pt")
    with torch.no_grad():
        outputs = model(**inputs)
    (found,) = processor.post_process_grounded_object_detection(
        outputs, threshold=threshold, target_sizes=[shown.shape[:2]]
    )
    edges = np.array([shown.shape[1], shown.shape[0]] * 2)
    boxes = found["boxes"].numpy().clip(0, edges).tolist()
    return sorted(
        (
            Detection(phrase, tuple(b), s)
            for b, s in zip(boxes, found["scores"].tolist(), strict=True)
        ),
        key=lambda each: -each.score,
    )


def pairs(found: list[Detection], wanted: list[Detection]) -> list[tuple[Detection, Detection]]:
    """Pair detections by nearness: equal scores are in no order."""
    assert len(found) == len(wanted)
    cost = [
        [_far(a.box, b.box) + 1000 * (a.label != b.label) + abs(a.score - b.score) for b in wanted]
        for a in found
    ]
    rows, columns = linear_sum_assignment(np.reshape(cost, (len(found), len(wanted))))
    return [(found[row], wanted[column]) for row, column in zip(rows, columns, strict=True)]


def _far(one: Any, other: Any) -> float:
    return float(np.abs(np.subtract(one, other)).max())


def check_equal(found: list[Detection], wanted: list[Detection]) -> None:
    for one, other in pairs(found, wanted):
        assert one.label == other.label
        assert one.score == pytest.approx(other.score, abs=1e-3)
        assert one.box == pytest.approx(other.box, abs=0.05)


def check_sound(found: list[Detection], shown: Picture) -> None:
    height, width = shown.shape[:2]
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    for each in found:
        x1, y1, x2, y2 = each.box
        assert 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height and 0 <= each.score <= 1


@pytest.mark.parametrize("size", [(60, 80), (81, 50), (16, 16), (300, 421)])
def test_exact_mode_finds_what_transformers_finds(
    tiny_dino: Path, detector: Any, size: tuple[int, int]
) -> None:
    shown = picture(*size)
    phrases = ["a cat", "the red flag", "woman in uniforms"]
    found = detector(OPEN).detect(shown, phrases)
    assert len({round(each.score, 3) for each in found}) > 20, "the weights tell things apart"
    for phrase in phrases:
        wanted = reference(tiny_dino, shown, phrase, 0.0)
        check_equal([each for each in found if each.label == phrase], wanted)


def test_what_the_processor_pads_is_not_looked_at(tiny_dino: Path, tmp_path: Path) -> None:
    folder, shown = shutil.copytree(tiny_dino, tmp_path / "model"), picture()
    settings = json.loads((folder / "processor_config.json").read_text())
    settings["image_processor"]["pad_size"] = {"height": 192, "width": 256}
    (folder / "processor_config.json").write_text(json.dumps(settings))
    detector = registry.load(f"grounding-dino:{folder}?{OPEN}", "detector")
    found = detector.detect(shown, ["a cat"])
    check_equal(found, reference(folder, shown, "a cat", 0.0))


@pytest.mark.parametrize("at_once", [1, 7])
def test_a_phrase_finds_the_same_alone_and_among_thirty(
    detector: Any, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setitem(grounding_dino.AT_ONCE, "cpu", at_once)
    shown = picture()
    phrases = [f"the {'red ' * (n % 4)}{WORDS[n % 9]} {WORDS[(7 * n) % 9]}" for n in range(30)]
    assert len(set(phrases)) == 30
    together = detector(OPEN).detect(shown, phrases)
    check_sound(together, shown)
    for phrase in phrases[::11]:
        alone = detector(OPEN).detect(shown, [phrase])
        check_equal([each for each in together if each.label == phrase], alone)


def test_one_phrase_finds_the_same_boxes_in_both_modes(detector: Any) -> None:
    exact, fast = (detector(f"{OPEN}&mode={mode}").detect(picture(), ["a cat"]) for mode in MODES)
    both = pairs(exact, fast)
    for one, other in both:
        assert one.box == pytest.approx(other.box, abs=0.05)
        assert other.score <= one.score + 1e-3, "of the words alone, not of the ends of phrases"
    scores = np.array([[one.score, other.score] for one, other in both])
    assert np.corrcoef(scores.T)[0, 1] > 0.5


def test_fast_mode_reads_every_phrase_from_its_own_tokens(tiny_dino: Path, detector: Any) -> None:
    """The scores are those of the joined prompt in transformers, token by token."""
    shown, phrases = picture(), ["a cat", "the red flag", "dogs"]
    model = hf.GroundingDinoForObjectDetection.from_pretrained(tiny_dino).eval()
    processor = hf.GroundingDinoProcessor.from_pretrained(tiny_dino)
    inputs = processor(images=Image.fromarray(shown), text=[phrases], return_tensors="pt")
    with torch.no_grad():
        scores = model(**inputs).logits[0].sigmoid()  # CLS a cat . the red flag . dog s . SEP
    assert inputs["input_ids"].shape[1] == 12
    found = detector(f"{OPEN}&mode=fast").detect(shown, [*phrases, "A CAT."])
    for phrase, span in zip([*phrases, "A CAT."], [(1, 3), (4, 7), (8, 10), (1, 3)], strict=True):
        wanted = scores[:, slice(*span)].amax(-1).sort(descending=True)[0].tolist()
        own = [each.score for each in found if each.label == phrase]
        assert own == pytest.approx(wanted[: len(own)], abs=1e-3) and len(own) == 30


def test_more_phrases_than_a_prompt_holds_are_asked_in_several(detector: Any) -> None:
    phrases = [f"{a} {b}" for a in WORDS[:6] for b in WORDS[:5]]
    found = detector(f"{OPEN}&mode=fast&limit=1").detect(picture(), phrases)
    assert sorted(each.label for each in found) == sorted(phrases)


@pytest.mark.parametrize("at_once", [1, 4])
@pytest.mark.parametrize("mode", MODES)
def test_pictures_together_find_what_each_finds_alone(
    detector: Any, monkeypatch: pytest.MonkeyPatch, mode: str, at_once: int
) -> None:
    monkeypatch.setitem(grounding_dino.AT_ONCE, "cpu", at_once)
    pictures = [picture(60, 80, seed) for seed in range(5)] + [picture(90, 40), picture(50, 50)]
    phrases = [["a cat"], ["a dog", "the red flag", "a cat"], [], ["?"], ["dog"] * 3, ["a"], ["in"]]
    found, warning = detector(f"{OPEN}&mode={mode}").detect_all(pictures, phrases)
    assert warning is None and [bool(each) for each in found] == [1, 1, 0, 0, 1, 1, 1]
    for shown, asked, together in zip(pictures, phrases, found, strict=True):
        check_equal(together, detector(f"{OPEN}&mode={mode}").detect(shown, asked))


@pytest.mark.parametrize("mode", MODES)
def test_threads_share_passes_and_find_what_each_finds_alone(
    detector: Any, crowded: Any, mode: str
) -> None:
    tool = detector(f"{OPEN}&mode={mode}")
    asked = [
        (picture(60, 80, seed), [f"a {word}" for word in WORDS[: 1 + seed]]) for seed in range(6)
    ]
    asked += [(picture(90, 40, seed), ["the red flag", "a cat"]) for seed in range(2)]
    alone = [tool.detect(*each) for each in asked]
    calls = [lambda it=it: tool.detect(*it) for it in asked]
    together, served = crowded(grounding_dino_model.load(*tool._source).turn, calls)
    assert sum(served) == 8 and max(served) == 4, "pictures of one size"
    for one, other in zip(together, alone, strict=True):
        for each, wanted in pairs(one, other):
            assert each.score == pytest.approx(wanted.score, abs=1e-4)
            assert each.box == pytest.approx(wanted.box, abs=1e-4 * 90)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("phrase", ODD)
def test_odd_phrases_find_something_sound_or_nothing(detector: Any, mode: str, phrase: str) -> None:
    shown = picture()
    found = detector(f"{OPEN}&mode={mode}").detect(shown, [phrase, "a cat"])
    check_sound(found, shown)
    assert {each.label for each in found} == {"a cat"} | ({phrase} - set(ODD[:4]))


def test_spelled_out_control_tokens_are_words(tiny_dino: Path, detector: Any) -> None:
    found = detector(OPEN).detect(picture(), ["cat[SEP]dog", "cat [ sep ] dog"])
    check_equal(
        [each._replace(label="") for each in found if each.label == "cat[SEP]dog"],
        [each._replace(label="") for each in found if each.label != "cat[SEP]dog"],
    )


def test_without_phrases_no_model_is_loaded() -> None:
    detector = GroundingDino("no/such/folder/anywhere")
    assert detector.detect(picture(), []) == []
    assert detector.detect_all([picture()] * 2, [[], []]) == ([[], []], None)
    with pytest.raises(ModelFileError, match=r"no config\.json in the folder no/such/folder"):
        detector.detect(picture(), ["a cat"])


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (900, 2), (1500, 2000), (16, 16)])
def test_pictures_of_any_size_and_shape(detector: Any, size: tuple[int, int]) -> None:
    shown = picture(*size)
    found = detector(OPEN).detect(shown, ["a cat"])
    check_sound(found, shown)
    assert found or min(size) < 3, "what lies in the margin of so slender a picture is cut off"


@pytest.mark.parametrize("height", [3, 40])
def test_a_grey_picture_with_three_rows_or_more(detector: Any, height: int) -> None:
    grey = np.repeat(picture(height, 48)[:, :, :1], 3, axis=2)
    found = detector(OPEN).detect(grey, ["a cat"])
    check_sound(found, grey)
    assert found


def test_thresholds_overlap_and_limit(tiny_dino: Path, detector: Any) -> None:
    shown = picture()
    everything = detector(OPEN).detect(shown, ["a cat"])
    middle = everything[10].score
    strict = detector(f"{OPEN}&box_threshold={middle}").detect(shown, ["a cat"])
    check_equal(strict, [each for each in everything if each.score > middle])
    assert detector(f"{OPEN}&limit=3").detect(shown, ["a cat"]) == everything[:3]
    apart = detector(f"{OPEN}&nms=0").detect(shown, ["a cat"])
    assert 0 < len(apart) < len(everything) and apart[0] == everything[0]
    for one, other in ((a, b) for a in apart for b in apart if a is not b):
        assert min(one.box[2], other.box[2]) <= max(one.box[0], other.box[0]) or min(
            one.box[3], other.box[3]
        ) <= max(one.box[1], other.box[1])
    wordy = detector(f"{OPEN}&text_threshold=0.99999").detect(shown, ["a cat"])
    assert len(wordy) < len(everything)
