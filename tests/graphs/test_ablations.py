"""Every switch of the papers' ablations: what is asked with it, and what is not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis import Extraction, Settings, build_graph
from deixis.agents.riveg import examples
from deixis.agents.riveg.examples import Example
from deixis.errors import SettingsError
from deixis.testing import scripted
from deixis.testing.replies import Question

TEXT = "Grace Hopper of the US Navy"
PICTURE = np.full((200, 400, 3), 90, np.uint8)
SKETCH = "Grace Hopper is a(an) PER; US Navy is a(an) ORG."
ANSWER = "Grace Hopper is a(an) PER, whose bounding boxes are (0.1, 0.1, 0.5, 0.9)"
ENTITIES = {"entities": [{"text": "Grace Hopper", "type": "PER", "confidence": 0.9}]}


def settings(graph: str, graph_options: Any, roles: Any, **options: Any) -> Settings:
    return Settings.model_validate(
        {
            "name": "test",
            "schema": "gmner",
            "graph": graph,
            "graph_options": graph_options,
            "roles": roles,
            "options": {"cache": "off", **options},
        }
    )


def vkel(graph_options: Any, **roles: Any) -> tuple[Extraction, list[Question]]:
    played: dict[str, Any] = {
        "vlm": "scripted:vlm",
        "committee": ["scripted:a", "scripted:b"],
        "voter": "scripted:voter",
        "templater": "scripted:templater",
        "detector": "nanodet",
    }
    made = settings("vkel", graph_options, {**played, **roles})
    prompts = {"whose bounding boxes are": ANSWER, "You find the named entities": SKETCH}
    with scripted(prompts=prompts) as asked:
        out = build_graph(made).invoke({"image": PICTURE, "text": TEXT})
    return Extraction.model_validate(out), asked


def names(asked: list[Question]) -> list[str]:
    return sorted({question.model for question in asked})


def grounding(asked: list[Question]) -> str:
    return next(own.user for own in asked if "whose bounding boxes are" in own.system)


def test_vkel_without_knowledge_asks_no_committee() -> None:
    whole, asked = vkel({})
    assert names(asked) == ["a", "b", "vlm", "voter"]
    assert "Visual knowledge:" in grounding(asked) and "First reading:" in grounding(asked)
    result, asked = vkel({"knowledge": False})
    assert names(asked) == ["vlm"] and len(asked) == 2
    assert "Visual knowledge" not in grounding(asked) and "Objects in" in grounding(asked)
    assert [own.groundable for own in result.entities] == [own.groundable for own in whole.entities]
    # Nobody is needed who is not asked.
    nobody = {"committee": [], "voter": None, "templater": None}
    assert vkel({"knowledge": False}, **nobody)[0].entities
    with pytest.raises(SettingsError, match="needs the role 'committee'"):
        vkel({}, **nobody)


def test_vkel_without_objects_looks_for_none() -> None:
    result, asked = vkel({"objects": False}, detector="nanodet?no_such=option")
    assert "Objects in" not in grounding(asked) and "Visual knowledge:" in grounding(asked)
    assert result.caption is None


def test_vkel_in_one_pass_has_no_sketch() -> None:
    result, asked = vkel({"sketch": False, "objects": False})
    (question,) = asked
    assert "first reading" not in f"{question.system}{question.user}".casefold()
    assert [own.text for own in result.entities] == ["Grace Hopper"]
    assert result.entities[0].groundable


def test_vkel_with_a_single_member_needs_no_voter() -> None:
    result, asked = vkel({}, committee="scripted:a", voter=None)
    assert names(asked) == ["a", "vlm"]
    # The sketch has two entities: each is one question and one summary.
    assert sum(own.model == "a" for own in asked) == 4
    summaries = [own.knowledge.summary for own in result.entities]
    assert all(summaries)


@pytest.mark.parametrize(
    ("graph", "graph_options", "told"),
    [
        ("vkel", {"sketch": False, "knowledge": True}, "without a sketch nobody knows"),
        ("vkel", {"knowledge": False, "calls": "joint"}, "calls is how knowledge is asked"),
        ("riveg", {"seed": 3}, "seed goes with samples: random"),
        ("riveg", {"samples": "none", "shots": 3}, "shots is how many samples are shown"),
        ("riveg", {"samples": "random", "knowledge": False}, "samples are shown for knowledge"),
        ("riveg", {"expression_input": "name", "augment": True}, "augment needs expressions"),
        ("riveg", {"samples": "some"}, "samples: Input should be 'similar', 'random' or 'none'"),
    ],
)
def test_an_option_without_effect_is_refused(graph: str, graph_options: Any, told: str) -> None:
    roles = {"recognizer": "crf", "vlm": "embedded:smollm2-135m"}
    with pytest.raises(SettingsError, match=f"graph_options of '{graph}': {told}"):
        build_graph(settings(graph, graph_options, roles))


def riveg(graph_options: Any, roles: Any = None, **options: Any) -> list[Question]:
    played = {
        "recognizer": "scripted:r",
        "expander": "scripted:writer",
        "entailer": "scripted:judge",
        "vlm": "scripted:Qwen3-VL",
        **(roles or {}),
    }
    made = settings("riveg", graph_options, played, **options)
    answers: dict[str, Any] = {
        "r": ENTITIES,
        "writer": "an officer in a dark uniform",
        "judge": {"e1": "entailment"},
    }
    with scripted(models=answers) as asked:
        build_graph(made).invoke({"image": PICTURE, "text": TEXT})
    return asked


@pytest.mark.parametrize(
    ("expression_input", "hypothesis", "written"),
    [
        ("name", "Grace Hopper", 0),
        ("name_type", "Grace Hopper (PER)", 0),
        ("expression", "an officer in a dark uniform", 1),
        ("both", "Grace Hopper (PER) – an officer in a dark uniform", 1),  # noqa: RUF001
    ],
)
def test_riveg_judges_and_points_at_the_part_that_is_given(
    expression_input: str, hypothesis: str, written: int
) -> None:
    asked = riveg({"knowledge": False, "expression_input": expression_input})
    assert sum(own.model == "writer" for own in asked) == written
    for name in ("judge", "Qwen3-VL"):
        (question,) = [own for own in asked if own.model == name]
        assert f"<post>{hypothesis}</post>" in question.user


def test_riveg_without_entailment_points_at_all() -> None:
    asked = riveg({"knowledge": False, "entailment": False}, {"entailer": "scripted:nobody"})
    assert names(asked) == ["Qwen3-VL", "r", "writer"]


def index(folder: Path) -> Path:
    samples = [Example(f"x{n}", f"text {n}", None, f"Answer {n}.", None) for n in range(6)]
    examples.write(folder, "hashed", samples, np.eye(6, dtype=np.float32))
    return folder


def shown(asked: list[Question]) -> list[str]:
    (knowledge,) = [own for own in asked if "Question: Which named entities" in own.user]
    return [f"x{n}" for n in range(6) if f"Answer {n}." in knowledge.user]


def test_riveg_s_random_samples_are_the_same_for_all_posts(tmp_path: Path) -> None:
    folder = index(tmp_path / "index")

    def ask(**graph_options: Any) -> list[str]:
        given = {"expression_input": "name", "shots": 2, **graph_options}
        return shown(riveg(given, examples=folder))

    first = ask(samples="random", seed=1)
    assert len(first) == 2 and ask(samples="random", seed=1) == first
    assert len({tuple(ask(samples="random", seed=seed)) for seed in range(5)}) > 1
    assert shown(riveg({"expression_input": "name", "samples": "none"}, examples=folder)) == []
    with pytest.raises(SettingsError, match="'embedder'"):
        ask(samples="similar")


def test_a_sample_is_not_its_own_example(tmp_path: Path) -> None:
    read = examples.read(index(tmp_path / "index"))
    order = [sample.id for sample in read.chosen(0, 6, "other", None)]
    left = [sample.id for sample in read.chosen(0, 6, "text 3", None)]
    assert left == [name for name in order if name != "x3"]


def test_e2e_without_thought_asks_for_the_records_alone() -> None:
    roles = {"vlm": "scripted:Qwen3-VL"}
    for think in (True, False):
        made = settings("e2e", {"think": think}, roles)
        with scripted("<answer>Grace Hopper|PER|[1,1,9,9]</answer>") as asked:
            out = build_graph(made).invoke({"image": PICTURE, "text": TEXT})
        assert ("<think>" in asked[0].system) is think
        assert "<answer>the records</answer>" in asked[0].system
        assert [own["text"] for own in out["entities"]] == ["Grace Hopper"]


def test_mmre_without_the_adapter_sees_the_picture_alone() -> None:
    patches = [[10, 10, 100, 100], [20, 20, 200, 150]]
    for pfa, pictures in ((True, 3), (False, 1)):
        made = settings("mmre", {"pfa": pfa}, {"vlm": "scripted:vlm"})
        with scripted("A flag. :PER; Grace Hopper {'a': 'Grace Hopper'}") as asked:
            graph = build_graph(made)
            out = graph.invoke({"image": PICTURE, "text": TEXT, "patches": patches})
        assert len(asked[0].images) == pictures and ("Image 2" in asked[0].user) is pfa
    (entity,) = out["entities"]
    assert entity["groundable"] and entity["regions"][0]["box"] == patches[0]
