"""What the terminal says of a run: what its seconds were for, and who was asked."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deixis import Extraction, build_graph
from deixis.agents.context.state import Input
from deixis.apps import console, weights
from deixis.errors import ToolError
from deixis.graphs.build import toolbox_of
from deixis.schema import Usage
from deixis.show.timing import REST
from deixis.testing import with_scripted_models

MEMBER = Usage(role="committee", model="a", calls=3, cached=1, input_tokens=50, output_tokens=7)
VOTER = Usage(role="voter", model="a", cached=2)


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        ([], "No language model was asked"),
        ([VOTER], "No language model was asked; 2 answers came from the cache"),
        (
            [MEMBER, VOTER],
            "3 calls of language models (committee 3), 57 tokens; 3 answers from the cache",
        ),
    ],
)
def test_who_was_asked_is_one_line(usage: list[Usage], words: str) -> None:
    assert console.usage_line([Extraction(text="", image=None, entities=[], usage=usage)]) == words
    assert console.usage_line([]) == "No language model was asked"


@pytest.mark.extra("starter")
def test_the_seconds_of_a_post_are_told_in_words(
    chelsea: Path, scripted: Callable[..., None]
) -> None:
    scripted()
    graph = build_graph(with_scripted_models(quorum=1))
    assert set(graph.nodes) - {"__start__"} <= set(console.PARTS), "every node has words"
    post = Input(image=chelsea, text="The cat Chelsea")
    with console.progress(shown=False) as bar:
        extraction, seconds = console.extract(graph, post, bar, "a post")
    assert [entity.text for entity in extraction.entities] == ["Chelsea"]
    names = list(dict.fromkeys(console.PARTS.values()))
    assert list(seconds) == [name for name in names if name in seconds], "in their order"
    assert {"names", "looking at the picture", "how things look", REST} <= set(seconds)
    assert min(seconds.values()) >= 0.0


@pytest.mark.extra("starter")
def test_a_tool_that_fails_is_loaded_and_its_fault_left_to_the_graph(
    monkeypatch: pytest.MonkeyPatch, scripted: Callable[..., None]
) -> None:
    scripted()
    toolbox = toolbox_of(with_scripted_models())
    used = []

    def fail(*given: object) -> None:
        used.append(given)
        raise ToolError("cannot do that")

    monkeypatch.setattr(toolbox.detector, "detect", fail)
    monkeypatch.setattr(toolbox.reader, "read", fail)
    weights.load(toolbox)
    assert len(used) == 2
