"""What is written in RiVEG's first stage: examples, knowledge, expressions, their versions."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deixis import Extraction
from deixis.errors import SettingsError

pytestmark = pytest.mark.slow

Said = Callable[[Extraction], str]
TEXT = "Grace Hopper of the US Navy"
COMMITTEE = ["scripted:m1", "scripted:m2", "scripted:m1"]


def prompt_of(world: Any, step: str) -> str:
    return next(each.user for each in world.asked if each.step == step)


def test_the_most_similar_examples_come_first_and_never_the_sample_itself(
    world: Any, index: Path
) -> None:
    found = world.run(None, examples=index, roles={"embedder": "hashed"})
    said = prompt_of(world, "explain")
    assert "The same: US Navy" not in said
    assert said.index("Grace Hopper speaks") < said.index("Nothing to see here") < said.index(TEXT)
    assert "a1 (0." in found.entities[0].decisions[0].evidence[-1]
    assert found.warnings == []


def test_shots_bounds_the_examples(world: Any, index: Path) -> None:
    world.run(None, examples=index, roles={"embedder": "hashed"}, graph_options={"shots": 1})
    assert prompt_of(world, "explain").count("Answer:") == 2
    world.asked.clear()
    found = world.run(None, examples=index, graph_options={"shots": 0})  # needs no embedder
    assert prompt_of(world, "explain").count("Answer:") == 1 and found.warnings == []


def test_another_picture_makes_another_sample(world: Any, index: Path, blank: Any) -> None:
    world.run(blank, examples=index, roles={"embedder": "hashed"})
    assert "The same: US Navy" in prompt_of(world, "explain")


def test_without_examples_it_says_so(world: Any, said: Said) -> None:
    found = world.run(None)
    assert said(found) == (
        "no annotated examples (options.examples): the knowledge is written without any"
    )
    assert "without examples" in found.entities[0].decisions[0].evidence[-1]


def test_an_index_that_cannot_be_used_is_told(world: Any, index: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nobody plays the role 'embedder'"):
        world.run(None, examples=index)
    with pytest.raises(SettingsError, match=r"no index of examples .*deixis examples build"):
        world.run(None, examples=tmp_path / "nowhere", roles={"embedder": "hashed"})
    assert world.asked == []


def test_an_embedder_that_fails_leaves_the_sample_without_examples(
    world: Any, index: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deixis.errors import ToolError
    from deixis.tools.hashed import Hashed

    def fail(*_: Any) -> Any:
        raise ToolError("hashed: out of memory")

    monkeypatch.setattr(Hashed, "embed", fail)
    found = world.run(None, examples=index, roles={"embedder": "hashed"})
    assert "no examples were looked for: hashed: out of memory" in said(found)
    assert len(found.entities) == 2


@pytest.mark.extra
def test_the_tagger_cannot_read_knowledge_and_it_says_so(world: Any, said: Said) -> None:
    found = world.run(None, roles={"recognizer": "crf"})
    assert "the recognizer crf reads the text alone; the knowledge did not count" in said(found)
    assert [each.text for each in found.entities] == ["Grace Hopper", "US Navy"]
    assert "knowledge" not in found.entities[0].decisions[0].evidence[-1]


@pytest.mark.extra
def test_roles_that_the_graph_has_no_place_for_are_not_asked(world: Any) -> None:
    roles = {"recognizer": "crf", "corrector": "scripted:corrector", "voter": "scripted:voter"}
    world.run(None, roles=roles, gate=1.0)
    assert {each.model for each in world.asked} == {"writer"}


def test_augmentation_keeps_the_words_of_every_writer(world: Any) -> None:
    def by(name: str, user: str) -> str:
        same = sum(each.model == name and each.user == user for each in world.asked)
        return f"A woman as {name} says {same}"

    world.answers = {"explain": lambda name, _: f"{name} knows", "expand": by}
    roles = {"committee": COMMITTEE}
    found = world.run(None, graph_options={"augment": True}, roles=roles, cache="use")
    assert Counter(world.steps()) == {"explain": 4, "recognize": 1, "expand": 8}
    assert "Knowledge: <post>writer knows</post>" in prompt_of(world, "recognize")
    knowledge = [each for each in found.replies if each.id.startswith("explain/")]
    assert [(each.model, each.text) for each in knowledge] == [
        ("scripted:writer", "writer knows"),
        ("scripted:m1", "m1 knows"),
        ("scripted:m2", "m2 knows"),
        ("scripted:m1", "m1 knows"),
    ]
    for entity in found.entities:
        versions = [each for each in entity.decisions if each.step == "expand"]
        assert [each.subject for each in versions] == [
            "expression",
            "expression 2",
            "expression 3",
            "expression 4",
        ]
        assert [each.model for each in versions] == ["scripted:writer", *COMMITTEE]
        assert {versions[1].outcome, versions[3].outcome} == {
            f"{entity.text} ({entity.type}) – A woman as m1 says {n}"  # noqa: RUF001
            for n in (1, 2)
        }
        assert entity.expression == versions[0].outcome
        assert len({each.replies[0] for each in versions}) == 4
    calls = {(each.role, each.model): each.calls for each in found.usage}
    assert calls["committee", "scripted:m1"] == 6 and calls["expander", "scripted:writer"] == 3


def test_augmentation_needs_somebody(world: Any) -> None:
    with pytest.raises(SettingsError, match="augment has every member of the committee write"):
        world.run(None, graph_options={"augment": True})


def test_a_member_that_fails_leaves_a_gap_and_a_notice(world: Any, said: Said) -> None:
    world.answers["expand"] = lambda name, _: "" if name == "m2" else "A woman"
    world.answers["explain"] = lambda name, _: "" if name == "m2" else "Knowledge"
    found = world.run(None, graph_options={"augment": True}, roles={"committee": COMMITTEE})
    (third,) = [each for each in found.entities[0].decisions if each.subject == "expression 3"]
    assert (third.outcome, third.evidence) == (None, ["no expression (empty)"])
    assert "committee scripted:m2 gave no answer (empty)" in said(found)
    assert found.entities[0].expression == "Grace Hopper (PER) – A woman"  # noqa: RUF001


@pytest.mark.parametrize(
    ("answer", "phrase"),
    [
        ("A woman.", "A woman"),
        ("\n  A  woman \n\nBackground: ...", "A woman"),
        ("Answer: A woman", "A woman"),
        ("Grace Hopper (PER) – A woman", "A woman"),  # noqa: RUF001
        ("Background: x\nQuestion: y\nAnswer: A woman", "A woman"),
        ('"A woman"', "A woman"),
        ("- **A woman.**", "A woman"),
        ("<think>\nA man?\n</think>\n\nA woman", "A woman"),
        ("A man (left) – or so", "A man (left) – or so"),  # noqa: RUF001
        ("word " * 100, ("word " * 40).strip()),
    ],
)
def test_an_answer_becomes_a_phrase(world: Any, answer: str, phrase: str) -> None:
    world.answers["recognize"] = world.recognized(("Grace Hopper", "PER"))
    world.answers["expand"] = answer
    (person,) = world.run(None).entities
    assert person.expression == f"Grace Hopper (PER) – {phrase}"  # noqa: RUF001


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "no expression (empty)"),
        ("grace  hopper.", "the expression only repeats the name"),
        ("Background: a\nText: b", "no expression (ok)"),
        (ValueError("kaput"), "no expression (failed)"),
    ],
)
def test_without_a_phrase_the_type_s_description_serves(
    world: Any, answer: Any, reason: str
) -> None:
    world.answers["expand"] = answer
    person = world.run(None).entities[0]
    assert person.expression == "Grace Hopper (PER) – a person or a named character"  # noqa: RUF001
    (told,) = [each for each in person.decisions if each.step == "expand"]
    assert (told.model, told.evidence) == (None, [f"{reason}; the type's description serves"])


@pytest.mark.parametrize("answer", ["", ValueError("kaput")])
def test_without_knowledge_the_text_alone_is_read(world: Any, said: Said, answer: Any) -> None:
    world.answers["explain"] = answer
    found = world.run(None)
    assert len(found.entities) == 2 and "expander scripted:writer gave no answer" in said(found)
    assert "Knowledge" not in prompt_of(world, "recognize")


def test_what_a_model_thinks_aloud_is_no_knowledge(world: Any) -> None:
    world.answers["explain"] = "<think>Hm. US Navy (PER)?</think>\n\nUS Navy (ORG)"
    world.run(None)
    assert "Knowledge: <post>US Navy (ORG)</post>" in prompt_of(world, "recognize")


def test_a_text_without_entities_ends_there(world: Any, blank: Any) -> None:
    world.answers["recognize"] = '{"entities": []}'
    found = world.run(blank)
    assert found.entities == [] and world.steps() == ["explain", "recognize"]


def test_a_recognizer_that_writes_rubbish_names_nothing(world: Any, said: Said) -> None:
    world.answers["recognize"] = "I see two entities!"
    found = world.run(None)
    assert found.entities == [] and "recognizer scripted:reader gave no answer" in said(found)
