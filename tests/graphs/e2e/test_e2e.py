"""The graph of E2E-GMNER: one answer of one model becomes entities, types and boxes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import AIMessage

from deixis import Extraction, build_graph
from deixis.batch.run import Batch
from deixis.errors import SettingsError
from deixis.formats import e2e
from deixis.rows import read_rows

TEXT = "Grace Hopper of the US Navy at Harvard"
QWEN, UNKNOWN = "scripted:Qwen2.5-VL-7B-Instruct", "scripted:some-model"
THOUGHT = "The post names a woman. Grace Hopper is the officer who is shown. The US Navy is not."
GOOD = f"<think>{THOUGHT}</think><answer>Grace Hopper|PER|[0,0,280,280]; US Navy|ORG|None</answer>"
BLANK = np.zeros((280, 560, 3), np.uint8)  # multiples of 28: Qwen2.5-VL does not resize it

Run = Callable[..., Extraction]


def test_an_answer_becomes_an_extraction(run: Run, plain: Any) -> None:
    found = run(GOOD)
    assert plain(found) == [
        ("Grace Hopper", "PER", True, [(0, 0, 280, 280)]),
        ("US Navy", "ORG", False, []),
    ]
    assert found.warnings == []
    (usage,) = found.usage
    assert (usage.role, usage.model, usage.calls) == ("vlm", QWEN, 1)


def test_the_released_code_s_own_example_is_read_as_there(run: Run, plain: Any) -> None:
    """The answer that its parser names as an example; section 3.2.1 has the schema."""
    answer = "<think>She is the one in the picture.</think><answer>Hailey Martin|PER|"
    picture = np.zeros((448, 560, 3), np.uint8)
    found = run(f"{answer}[201,81,396,225]</answer>", text="Hailey Martin sings", image=picture)
    assert plain(found) == [("Hailey Martin", "PER", True, [(201, 81, 396, 225)])]


def test_the_thought_can_be_read(run: Run) -> None:
    found = run(GOOD)
    (reply,) = found.replies
    assert reply.text == GOOD and reply.prompt == "e2e/extract 3"
    evidence = {
        each.text: one.evidence
        for each in found.entities
        for one in each.decisions
        if one.subject == "groundable"
    }
    assert "it thought: Grace Hopper is the officer who is shown." in evidence["Grace Hopper"]
    assert "it thought: The US Navy is not." in evidence["US Navy"]
    assert all(one.replies == [reply.id] for each in found.entities for one in each.decisions)


def test_boxes_are_pixels_of_what_the_model_saw_resized(run: Run, hopper: Path, plain: Any) -> None:
    """512 x 600 is sent as 256 x 300, which Qwen2.5-VL brings to 252 x 308."""
    answer = "Grace Hopper|PER|[0,77,126,154]"
    found = run(answer, image=hopper, image_side=300)
    assert plain(found)[0][3] == [pytest.approx((0, 150, 256, 300))]


def test_gemini_counts_thousandths_and_names_y_first(run: Run, hopper: Path, plain: Any) -> None:
    found = run("Grace Hopper|PER|[500,0,1000,500]", image=hopper, model="scripted:gemini-2.5-pro")
    assert plain(found)[0][3] == [pytest.approx((0, 300, 256, 600))]


def test_boxes_of_an_unknown_family_are_undecided_until_it_is_named(
    run: Run, plain: Any, said: Any
) -> None:
    found = run(GOOD, model=UNKNOWN)
    assert [each[2] for each in plain(found)] == [None, False]
    assert "1 boxes were not used" in said(found) and "?family=qwen2.5-vl" in said(found)
    for named in (
        {"model": UNKNOWN, "graph_options": {"family": "qwen3vl"}},
        {"model": f"{UNKNOWN}?family=Qwen3-VL"},
        {"model": f"{UNKNOWN}?family=qwen3-vl", "graph_options": {"family": "qwen3vl"}},
    ):
        found = run(GOOD, **named)
        assert plain(found)[0][3] == [pytest.approx((0, 0, 156.8, 78.4))]
        assert found.warnings == []


def test_two_families_at_odds_are_an_error(run: Run) -> None:
    with pytest.raises(SettingsError, match="says family=gemini, the graph's options say qwen3-vl"):
        run(GOOD, model=f"{UNKNOWN}?family=gemini", graph_options={"family": "qwen3vl"})


def test_a_family_of_which_nothing_is_known_says_why(run: Run, plain: Any, said: Any) -> None:
    found = run(GOOD, model=UNKNOWN, graph_options={"family": "gpt"})
    assert plain(found)[0][2] is None and "OpenAI documents no convention" in said(found)


def test_bad_boxes_are_dropped_counted_and_told(run: Run, plain: Any, said: Any) -> None:
    answer = "Grace Hopper|PER|[[9,9,1,1],[0,0,28,28],[5,5,5,9]]; US Navy|ORG|[1,2,3]; "
    found = run(f"{answer}Harvard|ORG|[900,900,999,999]")
    assert plain(found) == [
        ("Grace Hopper", "PER", True, [(0, 0, 28, 28)]),
        ("US Navy", "ORG", None, []),
        ("Harvard", "ORG", None, []),
    ]
    counts = "1 inverted, 1 without area, 1 unreadable, 1 outside the picture (of 5)"
    assert f"boxes dropped: {counts}" in said(found)
    assert "'US Navy|ORG|[1,2,3]' of the answer was not read" in said(found)


def test_several_boxes_are_several_regions(run: Run) -> None:
    found = run("Grace Hopper|PER|[[0,0,28,28],[56,0,84,28]]")
    assert [each.box[0] for each in found.entities[0].regions] == [0, 56], "as it wrote them"


def test_what_is_not_in_the_text_or_of_no_type_is_told(run: Run, plain: Any, said: Any) -> None:
    found = run("Ada|PER|None; US Navy|SHIP|None; grace hopper|person|None; half|record")
    assert plain(found) == [("Grace Hopper", "PER", False, [])]
    for each in ("'Ada', not in the text", "'US Navy' the type 'SHIP'", "'half|record'"):
        assert each in said(found)


def test_a_name_is_the_same_however_it_is_written(run: Run) -> None:
    text = "Zoe\u0308 O\u2019Neil of AT&amp;T"
    for said in (
        "Zoë O'Neil|PER|None; AT&T|ORG|None",
        "Zoë O&#39;Neil|PER|None; AT&amp;T|ORG|None",
    ):
        answer = f"<think>Zoë O'Neil is here.</think><answer>{said}</answer>"
        found = run(answer, text=text)
        assert [each.text for each in found.entities] == ["Zoe\u0308 O\u2019Neil", "AT&amp;T"]
        assert found.warnings == []
        told = [line for each in found.entities[0].decisions for line in each.evidence]
        assert any("is here." in line for line in told), "the thought names it, too"


def test_a_name_within_another_is_found_where_it_stands_alone(run: Run, plain: Any) -> None:
    text = "The New York Times left New York"
    found = run("New York|LOC|None; New York Times|ORG|None", text=text)
    assert [each[:2] for each in plain(found)] == [("New York Times", "ORG"), ("New York", "LOC")]
    assert found.warnings == []


@pytest.mark.parametrize("none", ["<answer>None</answer>", "none", "\n<answer>\nNone\n</answer>"])
def test_a_text_without_entities(run: Run, none: str) -> None:
    found = run(f"<think>Nothing has a name.</think>{none}", text="good morning")
    assert found.entities == [] and found.warnings == []


REFUSED = AIMessage("", additional_kwargs={"refusal": "I would rather not"})
CUT = AIMessage("<think>well", response_metadata={"finish_reason": "length"})


@pytest.mark.parametrize(
    ("answer", "calls", "told"),
    [
        (REFUSED, 1, "(refused)"),
        (CUT, 2, "(truncated)"),
        (" ", 2, "(empty)"),
        (ValueError("no such model"), 1, "(failed)"),
        ("I see a woman in a uniform.", 1, "no record was found"),
        ('{"entities": []}', 1, "no record was found"),
        ("<think>There are none.</think>", 2, "the model only thought"),
        ("<think>Hm.</think><answer></answer>", 1, "no record was found"),
    ],
)
def test_no_answer_is_a_warning_and_not_an_answer(
    run: Run, answer: Any, calls: int, told: str, said: Any
) -> None:
    found = run(answer)
    assert found.entities == [] and told in said(found)
    assert sum(each.calls for each in found.usage) == calls


def test_without_a_picture_nothing_is_decided_of_boxes(run: Run, plain: Any) -> None:
    found = run(GOOD, image=None)
    assert [each[2] for each in plain(found)] == [None, None]
    assert found.warnings == []


@pytest.mark.extra
@pytest.mark.slow
def test_a_model_without_eyes_decides_nothing_of_boxes(
    hopper: Path, said: Any, settings: Any
) -> None:
    model = "embedded:smollm2-135m"
    graph = build_graph(settings(model, max_tokens=24))
    found = Extraction.model_validate(graph.invoke({"text": TEXT, "image": hopper}))
    assert f"{model} takes no pictures" in said(found)
    assert all(each.groundable is None for each in found.entities)
    assert found.usage[0].calls >= 1


@pytest.mark.extra
def test_a_segmenter_makes_masks(run: Run, hopper: Path) -> None:
    found = run("Grace Hopper|PER|[100,50,400,500]", image=hopper, segmenter="grabcut")
    assert found.entities[0].regions[0].mask is not None


def test_models_may_be_swapped_for_one_call(scripted: Any, settings: Any) -> None:
    asked = []
    scripted(lambda name, *_: asked.append(name) or GOOD)
    graph = build_graph(settings(QWEN))
    graph.invoke({"text": TEXT}, context={"vlm": "scripted:other"})
    assert asked == ["other"]


def test_fine_types_say_the_coarse_ones(run: Run) -> None:
    answer = "Grace Hopper|Intellectual|None; US Navy|government_agency|None; Harvard|building|None"
    found = run(answer, schema="fmnerg")
    assert [(each.type, each.fine_type) for each in found.entities] == [
        ("person", "intellectual"),
        ("organization", "government_agency"),
        ("building", None),
    ]


def test_types_of_one_s_own(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "ships.yaml"
    path.write_text("types:\n- {name: VESSEL, fine_types: [Brig, Sloop]}\n- {name: Sea}\n")
    found = run("Pequod|sloop|None; Pacific|sea|None", text="Pequod, Pacific", schema=str(path))
    assert [(each.type, each.fine_type) for each in found.entities] == [
        ("VESSEL", "Sloop"),
        ("Sea", None),
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"passes": 0}, "passes"),
        ({"passes": 21}, "passes"),
        ({"family": "qwen"}, "family"),
        ({"pases": 3}, "did you mean 'passes'"),
    ],
)
def test_a_wrong_option_is_told(options: dict[str, Any], said: str, settings: Any) -> None:
    with pytest.raises(SettingsError, match="graph_options of 'e2e'") as caught:
        build_graph(settings(QWEN, graph_options=options))
    assert said in str(caught.value)


def test_a_batch_takes_it_and_its_rows_are_the_format_s(
    scripted: Any, tmp_path: Path, hopper: Path, settings: Any
) -> None:
    scripted(lambda *_: GOOD)
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps({"id": "a", "text": TEXT, "image": str(hopper)}) + "\n")
    assert Batch(settings("scripted:qwen2-vl"), source, out).run().done == 1
    (row,) = read_rows(out)
    written = e2e.write([each.model_copy(update={"start": None}) for each in row.entities])
    assert written == "Grace Hopper|PER|[0,0,143.36,168]; US Navy|ORG|None"


def test_the_prompts_are_those_of_the_snapshot(
    scripted: Any, hopper: Path, settings: Any, snapshot: Any
) -> None:
    """Section 3.2.1: an instruction before the post; thought, then records in one sequence."""
    seen: list[str] = []

    def note(name: str, messages: Any, options: Any) -> str:
        system, user = (message.text for message in messages)
        seen.append(f"=== extract, vlm ({name})\n# System\n{system}\n# User\n{user}\n")
        return "None"

    scripted(note)
    text = "Grace Hopper of the </post> US Navy"
    cases = [(QWEN, "gmner", hopper), ("scripted:gemini-2.5-pro", "fmnerg", hopper)]
    for model, schema, image in [*cases, (UNKNOWN, "gmner", None)]:
        build_graph(settings(model, schema)).invoke({"text": text, "image": image})
    found = "\n".join(seen)
    assert snapshot("e2e.txt", found)
