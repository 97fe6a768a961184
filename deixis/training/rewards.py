"""Rewards: what `deixis eval` counts, of one answer, as functions that TRL's GRPOTrainer takes.

A completion is read as the graph e2e reads a reply, and so is the gold answer beside it. Each
function returns a number of 0..1 for each completion. In all of them

- an answer of which nothing can be read gets 0, whatever the gold is;
- where gold and answer both name nothing, it is 1;
- names and types are compared letter for letter, as they are written: a name that is repeated is
  wrong each time but once, though the graph would find it in the text once, and one that the text
  does not have is wrong, though the graph would drop it;
- a region that cannot be read, or lies outside the picture, is never right;
- any box of the gold may be met, but many boxes for one name are no way to meet one: `gmner_reward`
  takes the first, where `deixis eval` takes any, and `iou_reward` the mean over all of them.

With ``n`` entities in the answer, ``m`` in the gold and ``c`` of them paired one to one by what a
function asks, F1 is ``2c / (n + m)``: naming more than there is costs as much as missing it.

The functions take the columns ``answer`` (the gold, as the model shall write it), ``size`` (width
and height of the picture as it is sent, None without one) and ``frame`` (JSON of
`deixis.training.lessons.records.Frame`), as `deixis.training.reward_data` makes them of lessons.
Others are ignored.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from statistics import fmean
from typing import Any

import numpy as np

from deixis.agents.e2e.read import read, says_none
from deixis.base.folding import without_entities
from deixis.errors import DataError
from deixis.evaluation.metrics.convention import convention
from deixis.evaluation.metrics.matching import best_iou, best_pairs
from deixis.evaluation.metrics.mentions import align
from deixis.evaluation.metrics.tables import compare, count
from deixis.evaluation.metrics.tasks import Task, task
from deixis.formats import e2e
from deixis.llms.answers import reading
from deixis.llms.box_conventions import BoxConvention
from deixis.llms.local.control_marks import KNOWN
from deixis.llms.picture_frames import Size
from deixis.rows import Row, RowEntity, RowRegion
from deixis.training.lessons.records import Frame

THRESHOLD = 0.5
Entities = Sequence[RowEntity]
Completion = str | Sequence[Mapping[str, Any]]
"""A text; or where prompts are conversations, the message of the assistant, alone in a list."""
_NAMES = Task("names", None, None)
_FORM = re.compile(
    r"\s*(?:<think>(?P<thought>.*?)</think>\s*)?<answer>(?P<answer>.*?)</answer>\s*", re.DOTALL
)
_TAG = re.compile(r"</?(?:think|answer)>", re.IGNORECASE)


def count_reward(
    prompts: Sequence[Any], completions: Sequence[Completion], **columns: Any
) -> list[float]:
    """Reward the right number of entities: ``1 - |n - m| / max(n, m)``."""
    return _each(_alike_in_number, completions, columns)


def span_reward(
    prompts: Sequence[Any], completions: Sequence[Completion], **columns: Any
) -> list[float]:
    """Reward the names: F1 of those that are the same."""
    return _each(_f1(_NAMES), completions, columns)


def type_reward(
    prompts: Sequence[Any], completions: Sequence[Completion], **columns: Any
) -> list[float]:
    """Reward the types: F1 of names and types that are both the same (MNER)."""
    return _each(_f1(task("mner")), completions, columns)


def iou_reward(
    prompts: Sequence[Any], completions: Sequence[Completion], **columns: Any
) -> list[float]:
    """Reward the places: as F1 of the names, but that a pair counts what its regions overlap.

    That is the highest IoU with any box of the gold, as a mean over the boxes of the answer; 1 if
    both say that it is not to be seen, 0 if one does. Of several of one name those are paired that
    overlap most. So a box as large as the picture gets what it covers, and a place of a name that
    is wrong gets nothing.
    """
    return _each(_overlap, completions, columns)


def gmner_reward(
    prompts: Sequence[Any], completions: Sequence[Completion], **columns: Any
) -> list[float]:
    """Reward what is scored in the end: F1 of name, type and place, at an IoU of 0.5 (GMNER)."""
    return _each(_f1(task("gmner")), completions, columns)


def format_reward(
    prompts: Sequence[Any], completions: Sequence[Completion], **columns: Any
) -> list[float]:
    """Reward the form: 1 or 0, whatever the gold is.

    It is 1 if the whole completion is ``<answer>...</answer>``, with ``<think>...</think>`` before
    it if and only if the system's message speaks of that, with no tag more; in it ``None`` alone,
    or records as `deixis.formats.e2e.write` has them (spaces do not count), their boxes such as
    the model writes: of as many digits, and in the picture.
    """
    rows = zip(prompts, completions, *_of(columns, "size", "frame"), strict=True)
    return [
        float(_in_form(_text(completion), _thinks(prompt), _frame(frame), size))
        for prompt, completion, size, frame in rows
    ]


REWARDS: dict[str, Callable[..., list[float]]] = {
    "count": count_reward,
    "span": span_reward,
    "type": type_reward,
    "iou": iou_reward,
    "gmner": gmner_reward,
    "format": format_reward,
}
"""By name, as a recipe weighs them."""


def _each(
    value: Callable[[Entities, Entities], float],
    completions: Sequence[Completion],
    columns: Mapping[str, Any],
) -> list[float]:
    rewards = []
    rows = zip(completions, *_of(columns, "answer", "size", "frame"), strict=True)
    for completion, answer, size, frame in rows:
        gold = _named(answer, _frame(frame), size)
        if gold is None:
            raise DataError(f"the column answer has a text that is no answer: {answer[:80]!r}")
        named = _named(_text(completion), _frame(frame), size)
        rewards.append(0.0 if named is None else value(gold, named) if gold or named else 1.0)
    return rewards


def _of(columns: Mapping[str, Any], *names: str) -> list[Any]:
    for name in names:
        if name not in columns:
            raise DataError(
                f"the data set lacks the column {name!r} that rewards are worked out of"
            )
    return [columns[name] for name in names]


def _text(completion: Completion) -> str:
    """Return a completion as the model wrote it, thoughts and all; marks are put back."""
    if isinstance(completion, str):
        return KNOWN.restored(completion)
    (message,) = completion
    thoughts = message.get("reasoning_content") or message.get("thinking")  # a server's, or TRL's
    said = KNOWN.restored(_said(message))
    return f"<think>{thoughts}</think>\n{said}" if thoughts else said


def _said(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(b.get("text") or "" for b in content)


def _thinks(prompt: Any) -> bool:
    if isinstance(prompt, str):
        return "<think>" in prompt
    return any("<think>" in _said(each) for each in prompt if each["role"] == "system")


@lru_cache(maxsize=64)
def _frame(frame: str) -> BoxConvention:
    return Frame.model_validate_json(frame).convention


def _named(text: str, frame: BoxConvention, size: Size | None) -> list[RowEntity] | None:
    """Return the entities of an answer, with boxes in pixels; None if nothing can be read."""
    answer = without_entities(reading.read(text, reading.Text).text)
    found = read(answer)
    if not found.entities and not says_none(answer, found):
        return None
    return [
        entity.model_copy(update={"regions": _seen(entity.regions, frame, size)})
        for entity in found.entities
    ]


def _seen(
    regions: Sequence[RowRegion] | None, frame: BoxConvention, size: Size | None
) -> tuple[RowRegion, ...] | None:
    if not regions:
        return None if regions is None else ()
    boxes = [size and frame.from_model(list(region.box), size) for region in regions]
    return tuple(RowRegion(box=box) for box in boxes if box) or None


def _alike_in_number(gold: Entities, named: Entities) -> float:
    return 1 - abs(len(gold) - len(named)) / max(len(gold), len(named))


def _f1(asked: Task) -> Callable[[Entities, Entities], float]:
    """Return what scores an answer as a row of a data set is scored."""
    ours = replace(convention("deixis"), first_region=True)

    def score(gold: Entities, named: Entities) -> float:
        rows = [Row(id="answer", entities=tuple(side)) for side in (gold, named)]
        aligned = align(rows[:1], rows[1:], asked, ours)
        correct, predicted, wanted = count(compare(aligned.samples, asked), ours, THRESHOLD)[0]
        return float(2 * correct / (predicted + wanted))

    return score


def _overlap(gold: Entities, named: Entities) -> float:
    shared = 0.0
    for name in {entity.text for entity in gold}:
        sides = [[each.regions for each in side if each.text == name] for side in (named, gold)]
        if sides[0]:
            table = np.array([[_alike(one, wanted) for wanted in sides[1]] for one in sides[0]])
            shared += table[best_pairs(table)].sum()
    return float(2 * shared / (len(gold) + len(named)))


def _alike(named: Sequence[RowRegion] | None, gold: Sequence[RowRegion] | None) -> float:
    if named is None or gold is None or bool(named) != bool(gold):
        return 0.0
    return fmean(best_iou([region], gold, masks=False) for region in named) if named else 1.0


def _in_form(text: str, thinks: bool, frame: BoxConvention, size: Size | None) -> bool:
    form = _FORM.fullmatch(text)
    if form is None or bool((form["thought"] or "").strip()) != thinks:
        return False
    if any(_TAG.search(part or "") for part in form.groups()):
        return False
    answer = form["answer"].strip()
    parsed = e2e.parse(answer)
    if parsed.problems or (not parsed.entities and answer != "None"):
        return False
    boxes = [list(region.box) for each in parsed.entities for region in each.regions or ()]
    if not all(size and _is_written(box, frame, size) for box in boxes):
        return False
    try:
        return _squeezed(e2e.write(parsed.entities)) == _squeezed(answer)
    except DataError:
        return False


def _is_written(box: list[float], frame: BoxConvention, size: Size) -> bool:
    seen = frame.from_model(box, size)
    return seen is not None and frame.to_model(seen, size) == box


def _squeezed(text: str) -> str:
    return "".join(text.split())
