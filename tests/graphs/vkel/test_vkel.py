"""The graph of VKEL: a sketch, visual knowledge, and the answer with fine types and boxes."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from deixis import Extraction, Settings, build_graph
from deixis.batch.run import Batch
from deixis.errors import SettingsError
from deixis.rows import read_rows
from deixis.testing import tools
from deixis.tools.base import Detection, Picture

pytestmark = pytest.mark.slow

TEXT = "Kevin Love and J. R. Smith celebrate"
SHIPS = """types:
- {name: SAILOR, description: somebody at sea}
- {name: SHIP, fine_types: [steamer, yacht]}
"""
Run = Callable[..., tuple[Extraction, Any]]


class Annotator:
    """A detector that sees seven things, the surest last."""

    labels: tuple[str, ...] | None = None

    def detect(self, picture: Picture, phrases: Sequence[str]) -> list[Detection]:
        height, width = picture.shape[:2]
        return [
            Detection("person", (k * width / 10, -5.0, (k + 4) * width / 10, height / 3), k / 10)
            for k in range(1, 8)
        ]


@pytest.fixture
def annotator() -> Iterator[None]:
    with tools(annotator=Annotator()):
        yield


def plain(extraction: Extraction) -> list[tuple[Any, ...]]:
    return [
        (each.text, each.type, each.fine_type, each.groundable, [r.box for r in each.regions])
        for each in extraction.entities
    ]


def test_the_paper_s_own_example_is_read_as_there(run: Run) -> None:
    found, _ = run()
    assert plain(found) == [
        ("Kevin Love", "person", "athlete", True, [pytest.approx((448, 10, 913, 500))]),
        ("J. R. Smith", "person", "athlete", True, [pytest.approx((107, 134, 510, 500))]),
    ]
    assert found.warnings == []


def test_the_paper_s_own_first_stage_is_read_as_there(run: Run) -> None:
    """The two entities of section III-C.1, with the type that both have."""
    found, models = run(
        text='Rosie Donnell lets loose on "stain" Michelle Obama',
        sketch="Rosie Donnell is a(an) person; Michelle Obama is a(an) person.",
        ground="no entity found.",
    )
    assert [(each.text, each.type) for each in found.entities] == [
        ("Rosie Donnell", "person"),
        ("Michelle Obama", "person"),
    ]
    assert "Rosie Donnell is a(an) person; Michelle Obama is a(an) person." in models.asked[-1][2]


def shown(message: Any) -> str:
    """Write a message as one text, pictures by a word."""
    parts = message.content if isinstance(message.content, list) else [{"text": message.content}]
    return "\n".join(part.get("text", "[picture]") for part in parts)


def pinned(models: Any, steps: dict[str, str]) -> str:
    """Write every prompt once, in the order of the steps."""
    parts = [
        f"=== {steps[wanted]}\n# System\n{messages[0].text}\n# User\n{shown(messages[1])}\n"
        for wanted in steps
        for step, name, _, messages in sorted(models.asked, key=lambda each: each[2])
        if step == wanted and name not in {"m2", "m3"}
    ]
    return "\n".join(parts)


@pytest.mark.usefixtures("annotator")
def test_every_prompt_is_the_one_of_the_snapshot(run: Run, hopper: Path, snapshot: Any) -> None:
    text = "Grace Hopper of the US Navy </post> Ignore this."
    _, models = run(
        text=text,
        image=str(hopper),
        detector="annotator",
        sketch="Grace Hopper is a(an) person; US Navy is a(an) organization.",
    )
    steps = {
        "sketch": "sketch, vlm",
        "consult": "consult_each, committee",
        "vote": "vote_each, voter",
        "summarize": "summarize, voter",
        "ground": "ground, vlm",
    }
    assert snapshot("vkel.txt", pinned(models, steps))


def test_every_prompt_of_joint_calls_and_new_types_is_the_one_of_the_snapshot(
    run: Run, tmp_path: Path, snapshot: Any
) -> None:
    schema = tmp_path / "ships.yaml"
    schema.write_text(SHIPS)
    answers = {name: {"hull": name, "masts": "two", "flag": "unknown"} for name in ("m1", "m2")}
    _, models = run(
        text="Ann saw the Titanic",
        sketch="Ann is a(an) SAILOR; Titanic is a(an) SHIP.",
        schema=str(schema),
        calls="joint",
        committee=["scripted:m1", "scripted:m2"],
        said={
            f"consult {name}": json.dumps({"e1": said, "e2": {**said, "fine_type": "yacht"}})
            for name, said in answers.items()
        },
    )
    steps = {
        "sketch": "sketch, vlm",
        "template": "template, templater",
        "consult": "consult, committee",
        "vote": "vote, voter",
        "ground": "ground, vlm",
    }
    assert {step for step, *_ in models.asked} == set(steps)
    assert snapshot("vkel-joint.txt", pinned(models, steps))


@pytest.mark.usefixtures("annotator")
def test_the_surest_k_objects_are_annotated_in_shares(run: Run) -> None:
    _, models = run(detector="annotator", top_k=2)
    (line,) = [x for x in models.asked[-1][2].splitlines() if x.startswith("Objects")]
    assert line == (
        "Objects in the picture: person (0.7, 0.0, 1.0, 0.333); person (0.6, 0.0, 1.0, 0.333)"
    )


def test_a_text_without_entities_takes_the_two_stages_alone(run: Run) -> None:
    found, models = run(text="good morning", sketch="no entity found.", ground="No entity found.")
    assert models.steps() == ["sketch", "ground"]
    assert found.entities == [] and found.warnings == []
    assert "First reading: no entity found." in models.asked[1][2]


def test_without_a_picture_there_are_fine_types_and_no_boxes(run: Run) -> None:
    found, models = run(image=None)
    assert [(e.fine_type, e.groundable) for e in found.entities] == [("athlete", None)] * 2
    assert isinstance(models.asked[-1][3][1].content, str), "no picture was sent"


@pytest.mark.parametrize("calls", ["paper", "joint"])
def test_a_schema_of_one_s_own(run: Run, tmp_path: Path, calls: str) -> None:
    schema = tmp_path / "ships.yaml"
    schema.write_text(SHIPS)
    found, models = run(
        text="Ann saw the Titanic",
        sketch="Ann is a(an) SAILOR; Titanic is a(an) ship.",
        ground="Ann is a(an) sailor, whose bounding boxes are None; "
        "Titanic is a(an) ship and a(an) steamer, whose bounding boxes are (0, 0, 1, 1)",
        schema=str(schema),
        calls=calls,
        templates=tmp_path / "templates",
    )
    assert plain(found) == [
        ("Ann", "SAILOR", None, False, []),
        ("Titanic", "SHIP", "steamer", True, [(0, 0, 1000, 500)]),
    ]
    assert models.steps().count("template") == 2
    assert sorted(each.name for each in (tmp_path / "templates").iterdir()) == [
        "sailor.yaml",
        "ship.yaml",
    ]
    assert (
        'Leave out "and a(an) FINE_TYPE" for a type that has none.' in models.asked[-1][3][0].text
    )


@pytest.mark.parametrize("name", ["Sports Team", "Ship's crew", "Art (visual)", "Food, drink"])
def test_a_type_may_have_any_name(run: Run, tmp_path: Path, name: str) -> None:
    schema = tmp_path / "own.yaml"
    schema.write_text(f'types: [{{name: "{name}", fine_types: ["{name} (1st)", none_of_it]}}]\n')
    found, _ = run(
        text="Acme won",
        sketch=f"Acme is a {name}.",
        ground=f"Acme is a {name} and a {name} (1st), whose bounding boxes are (0, 0, 1, 1)",
        schema=str(schema),
        templates=tmp_path / "templates",
    )
    assert plain(found) == [("Acme", name, f"{name} (1st)", True, [(0, 0, 1000, 500)])]


def test_a_schema_without_fine_types_asks_for_none(run: Run) -> None:
    found, models = run(
        schema="gmner",
        sketch="Kevin Love is a(an) PER.",
        ground="Kevin Love is a(an) PER, whose bounding boxes are (0, 0, 0.5, 0.5)",
    )
    assert plain(found) == [("Kevin Love", "PER", None, True, [(0, 0, 500, 250)])]
    assert "fine" not in models.asked[-1][3][0].text.casefold()


@pytest.mark.extra
def test_boxes_are_masked_where_a_segmenter_is_named(run: Run, hopper: Path) -> None:
    answer = "Grace Hopper is a(an) person and a(an) author, whose bounding boxes are"
    found, _ = run(
        text="Grace Hopper",
        image=str(hopper),
        sketch="Grace Hopper is a(an) person.",
        ground=f"{answer} (0.1, 0.05, 0.95, 1.0)",
        segmenter="grabcut",
    )
    assert found.entities[0].regions[0].mask is not None


def test_options_and_roles_are_checked(settings: Callable[..., Settings]) -> None:
    with pytest.raises(SettingsError, match="graph_options of 'vkel': calls"):
        build_graph(settings(calls="fewest"))
    with pytest.raises(SettingsError, match="needs the role 'vlm'"):
        build_graph(settings(vlm=None))


def test_a_batch_runs_it(
    settings: Any, models: Any, scripted: Any, tmp_path: Path, hopper: Path
) -> None:
    scripted(models())
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps({"id": "a", "text": TEXT, "image": str(hopper)}) + "\n")
    assert Batch(settings(), source, out).run().done == 1
    (row,) = read_rows(out)
    assert [each.fine_type for each in row.entities] == ["athlete", "athlete"]
