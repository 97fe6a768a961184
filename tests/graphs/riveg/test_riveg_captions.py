"""RiVEG's entailment by a description of the picture, where there is one."""

from collections.abc import Sequence
from typing import Any

import pytest

from deixis import Extraction, build_graph
from deixis.testing import tools
from deixis.tools.base import CaptionMention

pytestmark = pytest.mark.slow


class Reads:
    """Persons are shown, and nothing else."""

    name = "reads"

    def shown(self, text: str, caption: str, mentions: Sequence[CaptionMention]) -> list[float]:
        return [0.8 if mention.type == "PER" else 0.1 for mention in mentions]


def found(world: Any, image: Any, caption: str | None, **more: Any) -> Extraction:
    roles = {"entailer": "reads", "vlm": None, "detector": "eyes", **more.pop("roles", {})}
    with tools(reads=Reads()):
        graph = build_graph(world.settings(roles=roles, **more))
        post = {"image": image, "text": "Grace Hopper of the US Navy", "caption": caption}
        return Extraction.model_validate(graph.invoke(post))


def test_the_description_entails_and_only_what_it_shows_is_pointed_at(
    world: Any, blank: Any
) -> None:
    result = found(world, blank, "a woman")
    assert [each.groundable for each in result.entities] == [True, False]
    judged = next(each for each in result.entities[1].decisions if each.step == "entail")
    assert (judged.model, judged.outcome) == ("reads", "no")
    assert judged.evidence == ["the description of the picture shows it with 0.10 (threshold 0.5)"]
    assert world.eyes.phrases == ["person", "A woman in a uniform"]


def test_without_a_description_it_is_as_without_an_entailer(
    world: Any, blank: Any, said: Any
) -> None:
    result, plain = found(world, blank, None), found(world, blank, None, roles={"entailer": None})
    assert result.entities == plain.entities
    assert "the entailer has no description to read" in said(result)


def test_without_a_picture_no_is_an_answer(world: Any) -> None:
    result = found(world, None, "a woman")
    assert [each.groundable for each in result.entities] == [None, False]


def test_without_entailment_nothing_is_read(world: Any) -> None:
    result = found(world, None, "a woman", graph_options={"entailment": False})
    assert [each.groundable for each in result.entities] == [None, None]
