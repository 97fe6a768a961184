import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.agents.muie.pairing import pair
from deixis.base.folding import key
from deixis.formats.muie_calls import Call, Medium

ALL: tuple[Medium, ...] = ("image", "video", "audio")
IMAGE, VIDEO, AUDIO = "Image Segmenter", "VideoTracking", "AudioSegmentation"
TWO = ["Trump", "Merkel"]


@pytest.mark.parametrize(
    ("phrases", "told", "sought"),
    [
        (TWO, ["The man", "The woman"], {"trump": "The man", "merkel": "The woman"}),
        (TWO, ["The man, The woman"], {"trump": "The man", "merkel": "The woman"}),
        (["Merkel"], ["The woman, who sits"], {"merkel": "The woman, who sits"}),
        (["Merkel"], ["Segment: the woman"], {"merkel": "the woman"}),
        (["Merkel", "MERKEL", "Trump"], ["a", "b"], {"merkel": "a", "trump": "b"}),
        (["Merkel", "Merkel", "Trump"], ["a", "b", "c"], {"merkel": "a", "trump": "c"}),
        (TWO, ["Find Donald Trump on the left"], {"trump": "Trump"}),
        (TWO, ["Trump and Merkel"], {"trump": "Trump", "merkel": "Merkel"}),
    ],
)
def test_what_a_phrase_is_looked_for_as(
    phrases: list[str], told: list[str], sought: dict[str, str]
) -> None:
    found = pair(phrases, [Call(IMAGE, tuple(told))], ALL)
    assert found.problems == []
    assert found.sought == {phrase: [("image", words)] for phrase, words in sought.items()}


def test_every_module_and_every_instruction_counts() -> None:
    calls = [Call(IMAGE, ("a",)), Call(VIDEO, ("b", "c")), Call(IMAGE, ("d",)), Call(AUDIO, ("e",))]
    found = pair(TWO, calls, ALL)
    assert found.sought == {
        "trump": [("image", "a"), ("video", "b")],
        "merkel": [("image", "d"), ("video", "c")],
    }
    assert found.problems == ["the instruction 'e' (audio) is about no phrase that is marked"]


def test_an_instruction_without_a_phrase_is_told_and_the_others_are_paired() -> None:
    found = pair(TWO, [Call(IMAGE, ("a dog", "Merkel", "a cat"))], ALL)
    assert found.sought == {"merkel": [("image", "Merkel")]}
    assert len(found.problems) == 2


def test_a_part_of_a_word_is_no_word() -> None:
    assert pair(["Ann", "Bo"], [Call(IMAGE, ("Annette",))], ALL).sought == {}


def test_modules_without_their_medium_or_that_are_none_are_told() -> None:
    calls = [Call(VIDEO, ("a", "b")), Call("Toaster", ("a", "b")), Call("None"), Call("")]
    found = pair(TWO, calls, ["image"])
    assert found.sought == {}
    assert found.problems == [
        "'VideoTracking' was called, and there is no video",
        "'Toaster' was called, which is no module",
    ]


def test_without_marks_every_instruction_is_left_over() -> None:
    found = pair([], [Call(IMAGE, ("a", "b"))], ALL)
    assert found.sought == {} and len(found.problems) == 2


@given(
    st.lists(st.text(max_size=5)), st.lists(st.builds(Call, st.just(IMAGE), st.tuples(st.text())))
)
def test_no_phrase_is_made_up(phrases: list[str], calls: list[Call]) -> None:
    assert set(pair(phrases, calls, ALL).sought) <= set(map(key, phrases))
