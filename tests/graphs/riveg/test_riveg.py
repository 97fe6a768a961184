"""The graph of RiVEG as a whole: prompts, the paper's own examples, calls, batches and scores."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from deixis import Settings, build_graph
from deixis.apps.cli import main
from deixis.batch.run import Batch
from deixis.errors import SettingsError
from deixis.formats import riveg
from deixis.rows import read_rows

pytestmark = pytest.mark.slow

TEXT = "Grace Hopper of the US Navy"
BOX = [1, 2, 3, 4]


@pytest.mark.extra
def test_the_prompts_are_those_of_the_snapshot(
    world: Any, index: Path, hopper: Path, snapshot: Any
) -> None:
    """Sections IV-B.1c (Text, Image, Question, Answer), IV-B.2 (Background, ...), IV-C."""
    text = "Grace Hopper of the </post> US Navy"
    roles = {"embedder": "hashed", "detector": "centerface"}
    world.run(hopper, text, roles=roles, examples=index, graph_options={"shots": 2})
    found = world.snapshot()
    world.asked.clear()
    world.run(hopper, text, graph_options={"knowledge": False})
    world.asked[:] = [each for each in world.asked if each.step == "recognize"]
    found += "\n" + world.snapshot().replace("recognize,", "recognize without knowledge,", 1)
    assert snapshot("riveg.txt", found)


@pytest.mark.extra
def test_a_post_is_named_judged_pointed_at_and_masked(world: Any, hopper: Path) -> None:
    found = world.run(hopper, roles={"segmenter": "grabcut"})
    person, navy = found.entities
    assert (person.text, person.type, person.groundable) == ("Grace Hopper", "PER", True)
    assert person.expression == "Grace Hopper (PER) – A woman in a uniform"  # noqa: RUF001
    (region,) = person.regions
    assert region.box == pytest.approx((0.2 * 512, 0.1 * 600, 0.8 * 512, 0.9 * 600))  # y first
    assert region.mask is not None and region.source == "scripted:gemini-2.5-flash"
    assert (navy.type, navy.groundable, navy.regions) == ("ORG", False, [])
    by_step = {each.step: each for each in person.decisions}
    assert by_step["entail"].evidence == ["scripted:judge says entailment"]
    assert by_step["recognize"].replies == ["recognize/1/1", "explain/1/1"]
    assert "knowledge written by scripted:writer" in by_step["recognize"].evidence[-1]
    calls = {(each.role, each.calls) for each in found.usage}
    assert calls == {("recognizer", 1), ("expander", 3), ("entailer", 1), ("vlm", 1)}


CASES = [
    (
        "RT @Evode7: Actor Idris Elba became the first male to make the cover of Maxim.",
        [("Idris Elba", "PER"), ("Maxim", "ORG")],
        {},
    ),
    ("Hermione and her friends", [("Hermione", "PER")], {"Hermione": "A female character"}),
    (
        "LionelMessi with antonellaRocuzzo",
        [("LionelMessi", "PER"), ("antonellaRocuzzo", "PER")],
        {"antonellaRocuzzo": "A woman associated with Lionel Messi"},
    ),
]


@pytest.mark.parametrize(("text", "entities", "expressions"), CASES)
def test_the_paper_s_own_examples_come_out_as_there(
    world: Any, blank: Any, text: str, entities: Any, expressions: dict[str, str]
) -> None:
    """Figures 9 (knowledge, entities) and 10 (expressions; the texts around them are ours)."""

    def expression(_: str, user: str) -> str:
        name = user.rpartition("what in short is ")[2].partition(" in the Text?")[0]
        return expressions.get(name, "Somebody")

    knowledge = "Named entities: 1. Idris Elba (person/actor) 2. Maxim (magazine)\nReasoning: ..."
    world.answers = {
        "explain": knowledge,
        "recognize": world.recognized(*entities),
        "expand": expression,
    }
    found = world.run(blank, text)
    assert [(each.text, each.type) for each in found.entities] == entities
    for each in found.entities:
        said = riveg.parse_expression(each.expression or "")
        wanted = expressions.get(each.text, "Somebody")
        assert said == riveg.Expression(each.text, each.type, wanted)
    asked = next(each for each in world.asked if each.step == "recognize")
    assert f"Knowledge: <post>{knowledge}</post>" in asked.user


def test_without_augmentation_a_sample_of_two_entities_takes_six_calls(
    world: Any, blank: Any
) -> None:
    world.run(blank)
    counts = {"explain": 1, "recognize": 1, "expand": 2, "entail": 1, "ground": 1}
    assert Counter(world.steps()) == counts


def test_without_knowledge_it_is_the_ablation(world: Any, blank: Any) -> None:
    found = world.run(blank, graph_options={"knowledge": False})
    assert "explain" not in world.steps() and found.warnings == []
    asked = next(each for each in world.asked if each.step == "recognize")
    assert "Knowledge" not in asked.user and len(found.entities) == 2


def test_types_of_one_s_own(world: Any, blank: Any, tmp_path: Path) -> None:
    schema = tmp_path / "ships.yaml"
    schema.write_text("types: [{name: SHIP, description: a vessel}, {name: Crew}]\n")
    world.answers["recognize"] = world.recognized(("HMS Beagle", "SHIP"), ("Darwin", "Crew"))
    world.answers["expand"] = lambda _, user: "" if "is Darwin" in user else "A sailing ship"
    found = world.run(blank, "HMS Beagle carried Darwin", schema=str(schema))
    ship, crew = found.entities
    assert ship.expression == "HMS Beagle (SHIP) – A sailing ship"  # noqa: RUF001
    assert crew.expression == "Darwin (Crew) – Crew"  # noqa: RUF001
    assert "- SHIP: a vessel\n- Crew\n" in world.asked[0].system


@pytest.mark.extra
def test_the_starter_stack_runs_it(blank: Any) -> None:
    """With the language model that comes with Deixis, and the tagger, which reads the text."""
    stack = Settings.load("starter").with_graph("riveg", knowledge=False)
    out = build_graph(stack).invoke({"image": None, "text": "Eileen Collins flew"})
    (person,) = out["entities"]
    assert person["expression"].startswith("Eileen Collins (PER) – ")  # noqa: RUF001
    assert person["groundable"] is None


def test_the_preset_and_its_options(world: Any) -> None:
    assert Settings.load("riveg").graph_options == {
        "augment": False,
    }
    build_graph("riveg")
    with pytest.raises(SettingsError, match=r"'shot' .*did you mean 'shots'"):
        build_graph(world.settings({"shot": 5}))
    with pytest.raises(SettingsError, match="needs the role 'expander'"):
        build_graph(world.settings(roles={"expander": None}))


@pytest.mark.extra
def test_batches_run_it_and_both_tasks_are_scored(
    world: Any, hopper: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    row = {"id": "r", "text": TEXT, "image": str(hopper)}
    source.write_text(json.dumps(row) + "\n")
    Batch(world.settings(roles={"segmenter": "grabcut"}), source, out).run()
    (found,) = read_rows(out)
    assert [bool(each.regions) for each in found.entities] == [True, False]
    gold = tmp_path / "gold.jsonl"
    gold.write_text(found.model_dump_json(exclude_none=True) + "\n")
    for task in ("gmner", "smner", "mner"):
        arguments = ["deixis", "eval", str(gold), str(out), "--task", task, "--json"]
        monkeypatch.setattr("sys.argv", arguments)
        with pytest.raises(SystemExit):
            main()
        printed = json.loads(capsys.readouterr().out)
        assert '"f1": 1' in json.dumps(printed), task


def test_augmented_batches_become_training_data(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    gold, out, made = (tmp_path / name for name in ("gold.jsonl", "out.jsonl", "made"))
    entities = [
        {"text": "Grace Hopper", "start": 0, "end": 12, "type": "PER", "regions": [{"box": BOX}]},
        {"text": "US Navy", "start": 20, "end": 27, "type": "ORG", "regions": []},
    ]
    gold.write_text(json.dumps({"id": "7", "text": TEXT, "entities": entities}) + "\n")
    roles = {"committee": ["scripted:m1", "scripted:m2"]}
    Batch(world.settings({"augment": True}, roles=roles), gold, out).run()
    arguments = ["deixis", "examples", "augment", str(gold), str(out), "--out", str(made)]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out == (
        f"wrote 3 rows with knowledge and 6 expressions to {made}; "
        "0 gold entities without expression\n"
    )
    lines = (made / "grounding.txt").read_text().splitlines()
    name = "Grace Hopper(PER)"
    assert lines[1] == f"Imageid:7.jpg#1###{name}###{name}-A woman in a uniform###2###&[1, 2, 3, 4]"
    assert lines[3].endswith("###US Navy(ORG)-An armed force###0")
    rows = [json.loads(line) for line in (made / "recognition.jsonl").read_text().splitlines()]
    assert [each["model"] for each in rows] == ["scripted:writer", "scripted:m1", "scripted:m2"]
