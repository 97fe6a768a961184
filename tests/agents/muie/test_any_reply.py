"""Whatever a model writes, what is kept of it holds together."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.agents.context.state import joined
from deixis.agents.muie.entities import Answered, Entities
from deixis.agents.muie.links import Links
from deixis.agents.muie.meta_response import read_meta_response
from deixis.agents.muie.naming import Source
from deixis.agents.muie.structured import answer_for, read_object
from deixis.agents.reading.tasks import KNOWN, MuieTask
from deixis.base.media_records import check_offsets
from deixis.type_schema import TypeSchema

ACE = TypeSchema.load("ace")
TEXT, SPEECH = (
    "Zo\u00eb Lee joined Acme\u2019s team, Acme said.",
    "zoe lee, joined \u201cacme\u201d",
)
MEDIA: Any = ("image", "audio")
PIECES = (
    *("(", ")", ",", ":", " ", "\n", "<concept>", "<UIE>", "<Module>", "</Module>"),
    *("<Instruction>", "Image Segmenter", "Audio Segmenter", "None", "**", "```", "\x00"),
)
NAMES = (
    "Zoe Lee",
    "zo\u00eb lee",
    "Acme",
    "team",
    "dog 1",
    "dog 2",
    "",
    " ",
    "x" * 300,
    "Zoe\nLee",
)
LABELS = (
    "PER",
    "person",
    "ORG",
    "Martian",
    "PHYS:Located",
    "Employment",
    "Start-Position",
    "Attack",
)
ROLES = ("Person", "Entity", "Attacker", "Chef")
names, labels, roles = (st.sampled_from(each) for each in (NAMES, LABELS, ROLES))
phrases = st.none() | names
entities = st.fixed_dictionaries({"name": names, "image": phrases, "audio": phrases})
OBJECTS: dict[MuieTask, Any] = {
    "ner": st.fixed_dictionaries(
        {
            "entities": st.lists(
                st.builds(lambda own, label: {**own, "type": label}, entities, labels), max_size=4
            )
        }
    ),
    "re": st.fixed_dictionaries(
        {
            "entities": st.lists(entities, max_size=3),
            "relations": st.lists(
                st.fixed_dictionaries({"subject": names, "type": labels, "object": names}),
                max_size=4,
            ),
        }
    ),
    "ee": st.fixed_dictionaries(
        {
            "entities": st.lists(entities, max_size=3),
            "events": st.lists(
                st.fixed_dictionaries(
                    {
                        "type": labels,
                        "trigger": phrases,
                        "arguments": st.lists(
                            st.fixed_dictionaries({"role": roles, "name": names}), max_size=3
                        ),
                    }
                ),
                max_size=3,
            ),
        }
    ),
}


def kept(*answers: Answered) -> Any:
    words: Any = [(word, n, n + 0.5, 1.0) for n, word in enumerate(SPEECH.split())]
    heard: Any = {"words": words, "source": "test", "language": None, "spoken": False}
    named = Entities(Source(TEXT, heard), MEDIA, "scripted:any")
    named.take(answers)
    links = Links(named, ACE)
    links.take(answers)
    return joined(named.update, links.update)


def check(found: Any) -> None:
    mentions, words = found["mentions"], len(SPEECH.split())
    spans = [own["start"] for own in mentions.values() if own["start"] is not None]
    assert spans == sorted(spans)
    for own in mentions.values():
        check_offsets(own["text"], own["start"], own["end"])
        assert own["text"].strip()
        assert own["start"] is None or TEXT[own["start"] : own["end"]] == own["text"]
        assert all(0 <= first < last <= words for first, last in own.get("heard", []))
    assert set(found["sought"]) <= set(mentions)
    assert all(own["phrase"] for looks in found["sought"].values() for own in looks)
    for own in found["related"].values():
        assert {own["subject"], own["object"]} <= set(mentions)
        assert own["type"] in {kind.name for kind in ACE.relations}
    for own in found["happened"].values():
        kind = ACE.event(own["type"])
        assert kind is not None
        assert {argument["entity"] for argument in own["arguments"]} <= set(mentions)
        assert {argument["role"] for argument in own["arguments"]} <= set(kind.roles)
        if own["trigger"]:
            check_offsets(*(own["trigger"][part] for part in ("text", "start", "end")))
    assert all("\n" not in note["message"] for note in found["notices"].values())


@given(
    st.lists(st.sampled_from((*PIECES, *NAMES, *LABELS, *ROLES)), max_size=30).map("".join)
    | st.text()
)
@pytest.mark.parametrize("task", KNOWN)
def test_any_meta_response(task: MuieTask, text: str) -> None:
    check(kept(Answered(read_meta_response(text, task, MEDIA, ACE), ["extract/1/1"])))


@given(st.fixed_dictionaries(OBJECTS))
def test_any_objects(said: Any) -> None:
    answers = []
    for task, own in said.items():
        form = answer_for(task, ACE, MEDIA)
        names_ = str(own)
        if "x" * 201 in names_:  # longer than a reply may have it
            continue
        answers.append(Answered(read_object(form.model_validate(own), MEDIA, ACE), [task]))
    check(kept(*answers))
