"""Whatever the language models reply, a run ends with a result that keeps its promises."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from deixis import Extraction, Settings, build_graph
from deixis.schema import Entity
from deixis.testing import fill

pytestmark = pytest.mark.slow

TEXT = "Grace Hopper 🚢 saw the Titanic, the Titanic of İzmir and Sirius"
TYPES = """types:
- {name: SAILOR, crf: PER, description: somebody at sea}
- {name: SHIP, crf: OTHER, fine_types: [steamer, yacht]}
- {name: WORK, template: other, crf: OTHER, fine_types: [book, film]}
- {name: STAR}
- {name: PLACE, template: location, crf: LOC}
"""
FINE_TYPES = {"steamer": "SHIP", "yacht": "SHIP", "book": "WORK", "film": "WORK"}
COARSE = {"SAILOR", "SHIP", "WORK", "STAR", "PLACE"}
UNWRITTEN = {"SAILOR", "SHIP", "STAR"}
FOUND = [("Grace Hopper", "SAILOR"), ("Titanic", "SHIP"), ("Titanic", "WORK"), ("Sirius", "STAR")]
MEMBERS = ["m1", "m2", "m3"]
MODELS = ["recognizer", *MEMBERS, "voter", "expander", "templater"]
SEEN = {"hull": "colour of the hull", "masts": "how many masts", "flag": "which flag it flies"}
SORRY = "I'm sorry, but I can't help with that."


class Move(NamedTuple):
    """How a model replies to one request: by itself, or by spoiling the right answer."""

    kind: str
    value: Any = None
    where: int = 0


RIGHT = Move("right")
FAULTS = (TimeoutError, ConnectionError, ValueError)


def containers(node: Any) -> list[Any]:
    """Return every object and list in a JSON value that is not empty."""
    inner = list(node.values()) if isinstance(node, dict) else node
    if not isinstance(inner, list) or not inner:
        return []
    return [node] + [each for value in inner for each in containers(value)]


def spoil(right: Any, move: Move) -> Any:
    """Drop, replace or add one value of an answer."""
    found = containers(right)
    if not found:
        return move.value
    node = found[move.where % len(found)]
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    key = keys[move.where // len(found) % len(keys)]
    if move.kind == "drop":
        del node[key]
    elif move.kind == "replace":
        node[key] = move.value
    elif isinstance(node, dict):
        node[str(move.value)] = move.value
    else:
        node.append(move.value)
    return right


def played(move: Move, right: Any) -> str | AIMessage | Exception:
    """Return what the model sends."""
    text = json.dumps(right)
    if move.kind in {"drop", "replace", "add"}:
        return json.dumps(spoil(right, move))
    if move.kind == "cut":
        return AIMessage(text[: move.where], response_metadata={"finish_reason": "length"})
    if move.kind == "refuse":
        return AIMessage("", additional_kwargs={"refusal": str(move.value)})
    if move.kind == "message":
        return AIMessage(**move.value)
    if move.kind == "fault":
        return FAULTS[move.where % len(FAULTS)](str(move.value))
    simple = {
        "right": text,
        "text": move.value,
        "json": json.dumps(move.value),
        "stop short": text[: move.where],
        "wrap": f"{move.value}{text}{move.value}",
        "fence": f"{move.value}\n```json\n{text}\n```\n{move.value}",
    }
    return str(simple[move.kind])


class Cast:
    """Plays every model after a plan: name to its moves, of which the last is repeated."""

    def __init__(self) -> None:
        self.begin({})

    def begin(self, plan: dict[str, list[Move]]) -> None:
        self._plan = {name: list(moves) for name, moves in plan.items()}

    def __call__(self, name: str, _messages: Any, options: dict[str, Any]) -> Any:
        moves = self._plan.get(name, [RIGHT])
        move = moves.pop(0) if len(moves) > 1 else moves[0]
        return played(move, self._right(name, options["json_schema"]))

    def _right(self, name: str, schema: dict[str, Any]) -> Any:
        if name == "recognizer":
            found = [{"text": text, "type": kind, "confidence": 0.5} for text, kind in FOUND]
            return {"entities": found}
        if name == "templater":
            return {"attributes": [{"name": key, "ask": ask} for key, ask in SEEN.items()]}
        if name == MEMBERS[0]:  # takes the last of given values, and so makes disputes
            schema = json.loads(
                json.dumps(schema),
                object_hook=lambda node: (
                    {**node, "enum": node["enum"][::-1]} if "enum" in node else node
                ),
            )
        return fill(schema, f"dark {name}")


@pytest.fixture
def cast(scripted: Any, monkeypatch: pytest.MonkeyPatch) -> Cast:
    """The models, all of which answer rightly; no pause between two requests is made."""
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    actors = Cast()
    scripted(actors)
    return actors


@pytest.fixture
def extract(cast: Cast, tmp_path: Path) -> Callable[..., Extraction]:
    """Return ``extract(plan, recognizer=...)``: a run by that plan, with no template written."""
    types = tmp_path / "types.yaml"
    types.write_text(TYPES)
    folder = tmp_path / "templates"
    roles = {role: f"scripted:{role}" for role in ("recognizer", "voter", "expander", "templater")}
    given_settings = Settings.model_validate(
        {
            "name": "any",
            "schema": str(types),
            "roles": {**roles, "committee": [f"scripted:{name}" for name in MEMBERS]},
            "options": {"cache": "off", "templates": folder},
        }
    )
    graph = build_graph(given_settings)

    def run(plan: dict[str, list[Move]], **context: str) -> Extraction:
        shutil.rmtree(folder, ignore_errors=True)
        cast.begin(plan)
        out = graph.invoke({"image": None, "text": TEXT}, context=context or None)
        assert json.loads(json.dumps(out, allow_nan=False)) == out
        return Extraction.model_validate(out)

    return run


def check_entity(entity: Entity) -> None:
    assert TEXT[entity.start : entity.end] == entity.text != ""
    assert entity.type in COARSE
    assert entity.fine_type is None or FINE_TYPES[entity.fine_type] == entity.type
    assert entity.expression is not None and entity.expression.startswith(f"{entity.text} (")
    assert {each.step for each in entity.decisions} == {"recognize", "vote", "expand", "entail"}
    for attribute in entity.knowledge.attributes:
        assert 0 < attribute.votes <= len(MEMBERS) and attribute.value


def check(result: Extraction) -> None:
    """Check every promise of a result, and that what went wrong is told."""
    assert result.text == TEXT
    assert len({each.id for each in result.entities}) == len(result.entities)
    spans = [place for each in result.entities for place in (each.start, each.end)]
    assert spans == sorted(spans), "mentions overlap"
    for entity in result.entities:
        check_entity(entity)
    said = [each.message for each in result.warnings]
    said += [line for each in result.entities for d in each.decisions for line in d.evidence]
    for used in result.usage:
        if used.calls == used.failed:  # no request of this model brought an answer
            assert any(used.model in line for line in said), f"nothing is said of {used}"
    asked = {used.model.partition(":")[2] for used in result.usage}
    if result.entities:
        assert {*MEMBERS, "expander"} <= asked
    recognised = {
        each.outcome
        for entity in result.entities
        for each in entity.decisions
        if each.step == "recognize"
    }
    for kind in recognised & UNWRITTEN:
        told = f"template for {kind!r}"
        assert sum(told in line for line in said) == 1


words = st.text(st.characters(), max_size=30) | st.sampled_from(
    ["Titanic", "titanic", " the ", "İzmir", "🚢", "unknown", "yacht", "film", "PLACE", "n/a", "}{"]
)
keys = st.sampled_from(["e1", "e2", "entities", "attributes", "text", "fine_type", "look", "hull"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | words, inner, max_size=3),
    max_leaves=6,
)
places = st.integers(0, 400)
spoilt = st.builds(Move, st.sampled_from(["replace", "add", "drop"]), values, places)
reworded = st.builds(Move, st.just("replace"), words, places)
framed = st.builds(Move, st.sampled_from(["text", "wrap", "fence"]), words)
broken = st.builds(Move, st.sampled_from(["cut", "stop short", "fault", "refuse"]), words, places)
moves = st.lists(
    st.just(RIGHT) | spoilt | reworded | framed | broken | st.builds(Move, st.just("json"), values),
    min_size=1,
    max_size=4,
)
# Where the recognizer finds nothing, nobody else is asked: half of the time it is right.
plans = st.fixed_dictionaries({name: st.just([RIGHT]) | moves for name in MODELS})


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plan=plans)
@example(plan={"m2": [Move("refuse", SORRY)], "m3": [Move("text", "")], "templater": [RIGHT]})
@example(plan={"recognizer": [Move("replace", "PLACE", 4)], "voter": [Move("cut", "", 9)]})
def test_no_reply_whatsoever_stops_a_run_or_makes_up_an_entity(
    extract: Callable[..., Extraction], plan: dict[str, list[Move]]
) -> None:
    check(extract(plan))


def test_right_replies_leave_nothing_to_tell(extract: Callable[..., Extraction]) -> None:
    """The plan from which the others depart reaches every role, a dispute and three templates."""
    result = extract({})
    check(result)
    assert [each.text for each in result.entities] == [text for text, _ in FOUND]
    assert {used.model for used in result.usage} == {f"scripted:{name}" for name in MODELS}
    assert all(used.failed == 0 for used in result.usage)
    assert [each.message.partition(";")[0] for each in result.warnings] == [
        f"wrote a template for {kind!r}" for kind in ("SAILOR", "SHIP", "STAR")
    ]


FAILURES = {
    "nothing": Move("text", ""),
    "white space": Move("text", " \n\t"),
    "an apology": Move("text", SORRY),
    "another object": Move("json", {"answer": None}),
    "a list": Move("json", [1, 2]),
    "10,000 brackets": Move("text", "[" * 10_000),
    "cut off": Move("cut", "", 9),
    "cut off, and stopped": Move("stop short", "", 9),
    "refused in words": Move("refuse", SORRY),
    "filtered": Move("message", {"content": "", "response_metadata": {"finish_reason": "SAFETY"}}),
    "a tool call": Move(
        "message", {"content": "", "tool_calls": [{"name": "answer", "args": {}, "id": "1"}]}
    ),
    "late": Move("fault", "late", 0),
    "gone": Move("fault", "gone", 1),
    "unreadable": Move("fault", "unreadable", 2),
}


@pytest.mark.extra
@pytest.mark.parametrize("recognizer", ["crf", "scripted:recognizer"])
@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_when_every_model_fails_alike_the_result_is_complete(
    extract: Callable[..., Extraction], failure: Move, recognizer: str
) -> None:
    result = extract({name: [failure] for name in MODELS}, recognizer=recognizer)
    check(result)
    assert bool(result.entities) == (recognizer == "crf")
    assert result.usage and all(used.calls == used.failed > 0 for used in result.usage)
    assert {used.role for used in result.usage} == (
        {"committee", "expander", "templater"} if result.entities else {"recognizer"}
    )
    for entity in result.entities:
        assert entity.knowledge.attributes == [] and entity.fine_type is None
        (vote,) = (each for each in entity.decisions if each.step == "vote")
        assert vote.outcome is None and len(vote.evidence) == 1 + len(MEMBERS)
    assert len(result.warnings) > len(result.usage) - 1
