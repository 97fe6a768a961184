"""Lessons as tensors: what carries loss, and that a question is what inference reads."""

from collections.abc import Callable
from typing import Any

import pytest

from deixis.training.fine_tuning.learner import Learner, read_learner
from deixis.training.lessons.records import Lessons, in_words
from deixis.training.recipes import Recipe

pytestmark = [pytest.mark.slow, pytest.mark.extra("train")]
KINDS = ("qwen2.5-vl", "qwen3-vl", "llava")
RECIPE = Recipe.model_validate(
    {"lora": {"rank": 4, "alpha": 8}, "learning_rate": 1e-3, "epochs": 1}
)


@pytest.fixture(scope="module")
def learners(lessons_of: Callable[[str], Lessons]) -> Callable[[str], tuple[Learner, Lessons]]:
    made: dict[str, tuple[Learner, Lessons]] = {}

    def learner(kind: str) -> tuple[Learner, Lessons]:
        if kind not in made:
            lessons = lessons_of(kind)
            made[kind] = read_learner(lessons.manifest.base, RECIPE), lessons
        return made[kind]

    return learner


def _batch(learner: Learner, lessons: Lessons, *places: int) -> dict[str, Any]:
    from deixis.training.fine_tuning.inputs import Batches

    made = Batches(learner, lessons, lambda epoch, lesson: None)
    return made([{"lesson": place} for place in places])


@pytest.mark.parametrize("kind", KINDS)
def test_loss_is_on_the_answer_alone(learners: Any, kind: str) -> None:
    learner, lessons = learners(kind)
    batch = _batch(learner, lessons, *range(8))
    image = learner.model.config.image_token_id
    for lesson, ids, labels, seen in zip(
        lessons.lessons, batch["input_ids"], batch["labels"], batch["attention_mask"], strict=True
    ):
        scored = labels != -100
        assert not (scored & (ids == image)).any(), "a token of a picture carries loss"
        assert not (scored & (seen == 0)).any(), "what a lesson is filled up with carries loss"
        assert (ids[scored] == labels[scored]).all()
        *answer, end = ids[scored].tolist()
        assert end == learner.loaded.tokenizer.eos_token_id
        text = in_words(lesson.answer, lessons.manifest.frame.convention, lesson.sizes)
        assert learner.loaded.tokenizer.decode(answer) == text
        first = int(scored.nonzero()[0])
        assert scored[first : first + len(answer) + 1].all(), "the answer is in one piece"


@pytest.mark.parametrize("kind", KINDS)
def test_a_question_is_what_inference_reads(
    learners: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deixis.llms import registry
    from deixis.llms.local.transformers_load import load
    from deixis.training.lessons.files import messages_for

    learner, lessons = learners(kind)
    backend = registry.load(lessons.manifest.base)
    sent: list[Any] = []
    loaded = load(learner.name, "auto", "auto", None)
    generate = loaded.model.generate
    monkeypatch.setattr(
        loaded.model, "generate", lambda **inputs: sent.append(inputs) or generate(**inputs)
    )
    for place in range(3):
        lesson = lessons.lessons[place]
        backend.model.invoke(messages_for(lessons.folder, lesson), max_tokens=1)
        batch = _batch(learner, lessons, place)
        labels = batch.pop("labels")
        asked = int((labels != -100).nonzero()[0][1])
        for key, tensor in batch.items():
            own = tensor[:, :asked] if tensor.shape == labels.shape else tensor
            assert own.equal(sent[-1][key]), key


@pytest.mark.parametrize("kind", KINDS)
def test_an_example_is_the_same_alone_and_in_a_batch(learners: Any, kind: str) -> None:
    learner, lessons = learners(kind)
    alone, batch = _batch(learner, lessons, 5), _batch(learner, lessons, 2, 5)
    length = alone["labels"].shape[1]
    for key in ("input_ids", "labels", "attention_mask"):
        assert batch[key][1, :length].equal(alone[key][0]), key
    assert not batch["attention_mask"][1, length:].any()
    pixels = alone["pixel_values"]
    assert batch["pixel_values"][-len(pixels) :].equal(pixels)


def test_what_an_answer_says_is_never_a_token_that_steers(learners: Any) -> None:
    from deixis.training.fine_tuning.inputs import answer_tokens
    from deixis.training.lessons.files import answer_text

    learner, lessons = learners("qwen2.5-vl")
    forged = "a <|im_end|> of <v> and <|image|>"
    lesson = lessons.lessons[0].model_copy(update={"answer": (forged,)})
    *tokens, end = answer_tokens(learner, answer_text(lessons, lesson))
    assert not set(tokens) & set(learner.loaded.tokenizer.all_special_ids)
    written = learner.loaded.tokenizer.decode(tokens)
    assert written == "a < |im_end|> of <v> and < |image|>"
    assert end == learner.end


def test_boxes_are_written_anew_at_every_epoch(learners: Any) -> None:
    from deixis.training.fine_tuning.inputs import Batches
    from deixis.training.perturbation import Perturbation, grbp

    learner, lessons = learners("qwen2.5-vl")
    frame, boxes = lessons.manifest.frame.convention, Perturbation(beta=0.1, gamma=0.1)
    batches = Batches(learner, lessons, lambda epoch, id_: grbp(boxes, 3, epoch, id_, frame))

    def written(epoch: int) -> list[int]:
        batches.epoch = lambda: epoch
        tokens: list[int] = batches.example(lessons.lessons[0]).tokens["labels"][0].tolist()
        return [token for token in tokens if token != -100]

    first, second = written(0), written(1)
    assert first != second and written(0) == first and written(1) == second
