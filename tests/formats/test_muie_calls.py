import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.formats.muie import Answer, Entity, Phrase, parse_answer
from deixis.formats.muie_calls import Call, listed, read_calls

PAIR = (Entity(Phrase("Trump"), "person"), Entity(Phrase("Merkel"), "person"))
IMAGE, AUDIO = "Image Segmenter", "Audio Segmenter"


def test_figure_2_as_it_is_printed() -> None:
    text = (
        "<UIE> (Trump , person)(Merkel, person)... <Module>Image Segmenter <Instruction>The woman "
        "in the left, The man ..."
    )
    calls = (Call("Image Segmenter", ("The woman in the left", "The man")),)
    assert parse_answer(text, "ner") == Answer(PAIR, calls)


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("<Module>Image Segmenter", [Call(IMAGE)]),
        ("<Module>Image Segmenter</Module>", [Call(IMAGE)]),
        ("<Module>Image Segmenter<Instruction>a", [Call(IMAGE, ("a",))]),
        ("<Module>Image Segmenter</Module><Instruction>a, b", [Call(IMAGE, ("a", "b"))]),
        ("<Module>Image Segmenter<Instruction>a, b</Instruction>", [Call(IMAGE, ("a, b",))]),
        ("< module > Image Segmenter < INSTRUCTION >a", [Call(IMAGE, ("a",))]),
        ("<Modules>Image Segmenter <Instructions>\na\nb,\n", [Call(IMAGE, ("a", "b"))]),
        ("<Module>Image Segmenter <Instruction>a <Instruction>b", [Call(IMAGE, ("a", "b"))]),
        (
            "<Module>Image Segmenter <Instruction>a, b <Module>Audio Segmenter <Instruction>c",
            [Call(IMAGE, ("a", "b")), Call(AUDIO, ("c",))],
        ),
        (
            "<Module>Image Segmenter</Module><Instruction>a</Instruction><Instruction>b, c"
            "</Instruction><Module>Audio Segmenter</Module>",
            [Call(IMAGE, ("a", "b, c")), Call(AUDIO)],
        ),
        ("<Module>Image Segmenter<Instruction>a (b, c), d", [Call(IMAGE, ("a (b, c)", "d"))]),
        ("<Module>Image Segmenter</Instruction>a", [Call(IMAGE)]),
        ("<Module>Image Segmenter<Instruction></Instruction>", [Call(IMAGE)]),
        ("<Module>Image Segmenter<Instruction> , ,, ...", [Call(IMAGE)]),
        ("<Module><Instruction>a", [Call("", ("a",))]),
        ("</Module></Instruction></UIE>", []),
        ("<Module", []),
        ("Module: Image Segmenter", []),
        ("", []),
    ],
)
def test_what_is_called(text: str, calls: list[Call]) -> None:
    assert list(read_calls(text).calls) == calls


def test_an_instruction_before_any_module_is_a_problem() -> None:
    read = read_calls("<Instruction>a<Module>Image Segmenter<Instruction>b")
    assert read.calls == (Call(IMAGE, ("b",)),)
    assert [problem.piece for problem in read.problems] == ["a"]


def test_what_stands_outside_of_the_tags_is_what_was_extracted() -> None:
    text = "(a, b)<Module>Image Segmenter</Module>(c, d)<Instruction>e</Instruction><UIE>(f, g)"
    assert read_calls(text).outside == "(a, b)(c, d)(f, g)"


@pytest.mark.parametrize(
    ("module", "medium"),
    [
        ("Image Segmenter", "image"),
        ("ImageSegmentation", "image"),
        ("image_segmentation", "image"),
        ("SEEM", "image"),
        ("Video Tracker", "video"),
        ("VideoTracking", "video"),
        ("Video Segmenter", "video"),
        ("Tracking", "video"),
        ("Audio Segmenter", "audio"),
        ("AudioSegmentation", "audio"),
        ("Speech Segmentation", "audio"),
        ("SHAS", "audio"),
        ("Segmenter", None),
        ("none", None),
        ("", None),
    ],
)
def test_the_medium_in_which_a_module_points(module: str, medium: str | None) -> None:
    assert Call(module).medium == medium


def test_lists_of_instructions() -> None:
    assert listed("The man (left, in red); , the dog.\n the cat") == [
        "The man (left, in red)",
        "the dog",
        "the cat",
    ]


@given(st.lists(st.sampled_from(["<", "/", "UIE", "Module", "instruction", ">", "a", " ", ","])))
def test_never_raises_and_loses_no_word(pieces: list[str]) -> None:
    text = "".join(pieces)
    read = read_calls(text)
    kept = [read.outside, *(problem.piece for problem in read.problems)]
    kept += [words for call in read.calls for words in (call.module, *call.instructions)]
    assert "a" not in text or any("a" in words for words in kept)
