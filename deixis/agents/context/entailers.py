"""Entailers: who says whether something is shown, how often, and who is asked in doubt."""

from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel

from deixis.agents.context.cast import ENTAILERS
from deixis.agents.context.side_by_side import side_by_side
from deixis.agents.context.state import Update, joined
from deixis.agents.context.toolbox import Toolbox
from deixis.llms.photos import Photo
from deixis.llms.structured import Reply
from deixis.prompts import Prompt

Answer = TypeVar("Answer", bound=BaseModel)
FIRST, SECOND = ENTAILERS


def unsure(shown: bool | None, confidence: float | None, toolbox: Toolbox) -> bool:
    """Whether the second entailer is asked: there is one, and the first leaves a doubt.

    Args:
        shown: the verdict; undecided is the greatest doubt.
        confidence: that the verdict is right; None is of one who tells none, and is no doubt.
        toolbox: settings, with the gate.
    """
    if toolbox.settings.roles.second_entailer is None or not toolbox.cast.uses(SECOND):
        return False
    if shown is None:
        return True
    return confidence is not None and confidence < toolbox.settings.options.entailer_gate


def ask_often(
    toolbox: Toolbox,
    role: str,
    prompt: Prompt,
    answer: type[Answer],
    image: Photo,
) -> tuple[list[Reply[Answer]], Update]:
    """Ask a chat model who entails as often as the settings say, each time with its own seed.

    Returns:
        The replies, and the update that accounts for the calls; those of the second entailer
        are numbered after those of the first.
    """
    samples = toolbox.settings.options.entailer_samples
    spec, first_seat = toolbox.model(role), samples if role == SECOND else 0

    def ask(sample: int) -> tuple[Reply[Answer], Update]:
        seat = first_seat + sample
        return toolbox.ask("entail", role, spec, prompt, answer, seat, sample, images=[image])

    asked = side_by_side(ask, range(samples), most=1)
    replies = [reply for reply, _ in asked]
    return replies, joined({"calls": {}, "notices": {}}, *(update for _, update in asked))


def share(said: Sequence[bool]) -> float:
    """Return how often yes was said, 0..1."""
    return sum(said) / len(said)
