"""What a checkpointer keeps, and what a thread used again or resumed gives."""

import json
import sqlite3
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from PIL import Image

from deixis import Settings, build_graph
from deixis.testing import fill

pytestmark = [pytest.mark.slow, pytest.mark.extra]

TEXT = "Grace Hopper of the US Navy taught at Harvard University"


def as_bytes(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def by_text(out: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entity["text"]: entity for entity in out["entities"]}


def test_no_pixel_reaches_a_checkpoint(quick: Settings, tmp_path: Path, hopper: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (820, 820, 3), dtype=np.uint8)
    given = as_bytes(Image.fromarray(noise))
    assert len(given) > 2_000_000
    connection = sqlite3.connect(tmp_path / "checkpoints.db", check_same_thread=False)
    graph = build_graph(quick, checkpointer=SqliteSaver(connection))
    config: Any = {"configurable": {"thread_id": "1"}}
    for image in (given, noise, Image.fromarray(noise)):
        graph.invoke({"image": image, "text": TEXT}, config)
    rows = connection.execute(
        "select (select sum(length(checkpoint)) from checkpoints)"
        " + (select sum(length(value)) from writes)"
    )
    (size,) = rows.fetchone()
    assert 0 < size < 1_000_000, "three runs with a 2 MB picture each"
    kept = graph.get_state(config).values
    connection.close()
    assert kept["image"]["width"] == 820, "the record of the picture is kept"


def test_a_thread_used_again_holds_nothing_of_the_last_sample(
    quick: Settings, hopper: Path, facts: Any
) -> None:
    graph = build_graph(quick, checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    sample = {"image": str(hopper), "text": TEXT}
    first = graph.invoke(sample, config)
    assert facts(graph.invoke(sample, config)) == facts(first)
    other = graph.invoke({"image": None, "text": "Eileen Collins flew"}, config)
    assert [entity["text"] for entity in other["entities"]] == ["Eileen Collins"]
    assert other["image"] is None and other["caption"] is None
    graph.invoke(sample, config)
    assert graph.invoke({"text": TEXT}, config)["image"] is None, "no picture was given"


def test_a_run_that_was_cut_off_goes_on_where_it_was(
    scripted: Any, quick: Settings, hopper: Path
) -> None:
    asked: list[str] = []
    broken = True

    def script(name: str, messages: list[Any], options: dict[str, Any]) -> str:
        asked.append(name)
        if broken and name == "expander":
            raise KeyboardInterrupt
        return json.dumps(fill(options["json_schema"]))

    scripted(script)
    settings = quick.with_roles({"expander": "scripted:expander"})
    graph = build_graph(settings, checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    with pytest.raises(KeyboardInterrupt):
        graph.invoke({"image": str(hopper), "text": TEXT}, config)
    broken, asked = False, []
    out = graph.invoke(None, config)
    assert asked == ["expander"], "what was answered is not asked again"
    assert by_text(out)["Grace Hopper"]["groundable"] is True


def committee_of_two(scripted: Any, quick: Settings) -> tuple[list[str], Settings]:
    """Return a list that names who was asked, and settings with two members that note it."""
    asked: list[str] = []

    def script(name: str, messages: list[Any], options: dict[str, Any]) -> str:
        asked.append(name)
        return json.dumps(fill(options["json_schema"]))

    scripted(script)
    settings = quick.with_roles({"committee": ["scripted:a", "scripted:b"], "expander": None})
    return asked, settings


def test_what_is_written_in_the_name_of_a_node_leads_on_as_that_does(
    scripted: Any, quick: Settings
) -> None:
    asked, settings = committee_of_two(scripted, quick)
    graph = build_graph(settings, checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    graph.invoke({"text": TEXT}, config, interrupt_after=["recognize"])
    assert not asked and graph.get_state(config).next == ("consult", "consult")
    found = graph.get_state(config).values["mentions"]
    first = next(iter(found))
    kept = {"mentions": {"__overwrite__": {first: found[first]}}}
    graph.update_state(config, kept, as_node="recognize")
    assert graph.get_state(config).next == ("consult", "consult")
    out = graph.invoke(None, config)
    assert [entity["id"] for entity in out["entities"]] == [first]
    assert sorted(asked) == ["a", "b"], "each of the committee is asked once"


def test_nodes_tell_what_they_write_and_ask_nobody_twice(scripted: Any, quick: Settings) -> None:
    asked, settings = committee_of_two(scripted, quick)
    told = list(build_graph(settings).stream({"text": TEXT}, stream_mode="updates"))
    nodes = [name for each in told for name in each]
    first, last = ["open", "recognize"], ["vote", "expand", "entail", "structure"]
    assert nodes == [*first, "consult", "consult", *last] and sorted(asked) == ["a", "b"]
    assert all(isinstance(update, dict) for each in told for update in each.values())
