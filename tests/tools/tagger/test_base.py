"""What every tagger promises of any text."""

import json
import shutil
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.base.folding import spelled
from deixis.errors import ModelFileError
from deixis.tools.tagger.base import TaggedSpan, Tagger
from deixis.tools.tagger.crf import CrfTagger
from deixis.tools.tagger.tokenization import lines_of, tokenize
from deixis.weights import model_files

pytestmark = pytest.mark.extra

PIECES = st.sampled_from(
    [
        "Justin Bieber",
        "NASA",
        "in Paris",
        " ",
        "\n",
        "\r\n",
        "#",
        "@",
        "'s",
        "👩\u200d🚀",
        "🇫🇷",
        "e\u0301",
        "\u0301",
        "\ufe0f",
        "\u200b",
        "\0",
        "\ud800",
        "שלום",
        "हिन्दी",
        "東京",
        "&amp;",
        "[SEP]",
        "Z" * 200,
    ]
)
SENTENCE = "Justin Bieber sang in Chicago. "


def check(text: str, spans: list[TaggedSpan]) -> None:
    for one, two in pairwise(spans):
        assert one.end <= two.start
    for span in spans:
        assert 0 <= span.start < span.end <= len(text)
        mention = text[span.start : span.end]
        assert mention == mention.strip() != ""
        assert "\n" not in mention
        assert not unicodedata.combining(text[span.start])
        assert span.end == len(text) or not unicodedata.combining(text[span.end])
        assert span.type in ("PER", "LOC", "ORG", "OTHER")
        assert 0 < span.confidence < 1 and 0 < span.shown_prior < 1
        assert (span.fine_type is None) is (span.fine_confidence is None)
        assert span.fine_confidence is None or 0 < span.fine_confidence < 1


@settings(max_examples=80, deadline=None)
@given(text=st.one_of(st.text(), st.lists(PIECES, max_size=12).map("".join)))
def test_spans_are_sane(tagger: Tagger, text: str) -> None:
    chosen, rivals = tagger.weigh(text)
    check(text, chosen)
    for span in rivals:
        check(text, [span])
    assert tagger.tag(text) == chosen


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "\0" * 50,
        pytest.param("東京タワー" * 20_000, marks=pytest.mark.slow),
        "x" * 100_000,
        pytest.param("." * 100_000, marks=pytest.mark.slow),
        pytest.param("Justin Bieber in Chicago. " * 4_000, marks=pytest.mark.slow),
        "Justin\r\n" * 300,
        "JUSTIN BIEBER IN CHICAGO",
        "باراك أوباما في القاهرة",
        "Justin \ud800 Bieber\udfff",
        "e" + "\u0301" * 5_000 + " Ann",
    ],
    ids=[
        "empty",
        "blank",
        "nul",
        "no-space",
        "one-word",
        "dots",
        "long",
        "lines",
        "shouted",
        "rtl",
        "surrogate",
        "marks",
    ],
)
def test_odd_texts(tagger: Tagger, text: str) -> None:
    check(text, tagger.tag(text))


def test_a_text_without_a_token_has_no_mention_and_no_rival(tagger: Tagger) -> None:
    for text in ("", " ", "\n\n", "\u200b"):
        assert tagger.weigh(text) == ([], [])
    assert tagger.tag_tokens([]) == [] and tagger.candidates([]) == {}


def test_offsets_hold_to_the_end_of_a_long_text(tagger: Tagger) -> None:
    text = "👩\u200d🚀\n" + SENTENCE * 200
    spans = tagger.tag(text)
    check(text, spans)
    assert max(span.end for span in spans) > len(text) - len(SENTENCE)
    middle = len(text) // 2
    assert any(middle < span.start < middle + 2 * len(SENTENCE) for span in spans)


def test_mentions_of_a_text_are_those_of_its_tokens(tagger: Tagger) -> None:
    text = SENTENCE * 3
    tokens = tokenize(text)
    by_tokens = [
        (tokens[own.start].start, tokens[own.end - 1].end, own.type, own.confidence, own.fine_type)
        for own in tagger.tag_tokens([token.text for token in tokens])
    ]
    by_text = [
        (own.start, own.end, own.type, own.confidence, own.fine_type) for own in tagger.tag(text)
    ]
    assert by_tokens == by_text != []


def test_no_mention_crosses_a_line(tagger: Tagger) -> None:
    for broken in ("Justin\nBieber", "Justin\r\nBieber", "Justin \n Bieber\n\nsang\n"):
        text = broken * 20
        check(text, tagger.tag(text))
        check(text, tagger.weigh(text)[1][:1])


@pytest.mark.parametrize("line_break", list("\r\v\f\x1c\x85\u2028\u2029"))
def test_whatever_breaks_a_line_ends_a_mention(tagger: Tagger, line_break: str) -> None:
    for broken in ("Justin{}Bieber", "Justin {} Bieber{}{}sang{}"):
        text = broken.replace("{}", line_break) * 20
        assert [span[:3] for span in tagger.tag(text)] == [
            span[:3] for span in tagger.tag(text.replace(line_break, "\n"))
        ]


@pytest.mark.parametrize("words", range(396, 404))
def test_a_long_line_is_cut_beside_a_name(words: int) -> None:
    text = "and " * words + "Justin Bieber sang in Chicago"
    spans = CrfTagger().tag(text)
    assert [text[span.start : span.end] for span in spans] == ["Justin Bieber", "Chicago"]


def test_a_long_line_of_capitals_is_cut_all_the_same(tagger: Tagger) -> None:
    text = "AND " * 1000
    assert [len(line) for line in lines_of(text, tokenize(text))] == [400, 400, 200]
    check(text, tagger.tag(text))


def test_texts_that_read_alike_have_the_same_mentions(tagger: Tagger) -> None:
    plain = 'Ann & Zo\u00e9 of "Rome" sang in Chicago'
    for text in (
        unicodedata.normalize("NFD", plain),
        plain.replace("&", "&amp;"),
        plain.replace(' "', " “").replace('" ', "” "),
        plain.replace("o", "o\u200d"),
    ):
        assert text != plain
        told = [(spelled(text[own.start : own.end]).text, *own[2:]) for own in tagger.tag(text)]
        assert told == [(plain[own.start : own.end], *own[2:]) for own in tagger.tag(plain)] != []


def test_rivals_are_other_spans_in_order(tagger: Tagger) -> None:
    for number in range(5):
        chosen, rivals = tagger.weigh(SENTENCE * number)
        assert not {own[:3] for own in chosen} & {own[:3] for own in rivals}
        assert [own[:2] for own in rivals] == sorted(own[:2] for own in rivals)
        assert tagger.weigh(SENTENCE * number, rivals=False) == (chosen, [])


def test_candidates_reach_the_floor(tagger: Tagger) -> None:
    tokens = SENTENCE.split()
    many, few = tagger.candidates(tokens, 1e-4), tagger.candidates(tokens, 0.2)
    assert few and few.items() <= many.items() and len(few) < len(many)
    assert few == {span: raw for span, raw in many.items() if raw >= 0.2}


def test_threads_get_the_same_answers(tagger: Tagger) -> None:
    texts = [f"Justin Bieber and {name} in Chicago" for name in ("Obama", "NASA", "Adele")] * 20
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(tagger.tag, texts)) == [tagger.tag(text) for text in texts]


@pytest.mark.process
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_gets_the_same_answers(tagger: Tagger) -> None:
    fork = get_context("fork")
    answers = fork.SimpleQueue()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(tagger.tag, [SENTENCE] * 4))
        child = fork.Process(target=lambda: answers.put(tagger.tag(SENTENCE)))
        child.start()
        child.join(60)
    assert child.exitcode == 0
    assert answers.get() == tagger.tag(SENTENCE) != []


def test_calibration_changes_the_raw_marginal_monotonously(tagger: Tagger) -> None:
    confidences = [tagger.calibrate("PER", raw) for raw in np.linspace(0, 1, 21)]
    assert confidences == sorted(confidences)
    assert 0 < confidences[0] < 0.5 < confidences[-1] < 1


def test_it_says_where_its_model_is(tagger: Tagger) -> None:
    (spec,) = tagger.files()
    assert (model_files.resolve(spec) / "recognizer.json").is_file()


@pytest.fixture
def copy(tagger: Tagger, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tagger.files()[0], tmp_path / "model"))


def test_missing_folder(tagger: Tagger, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="nowhere"):
        type(tagger)(tmp_path / "nowhere")


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "noise"])
def test_a_damaged_file_is_named(tagger: Tagger, copy: Path, damage: str) -> None:
    for path in sorted(copy.iterdir()):
        if path.suffix == ".md":
            continue
        data = path.read_bytes()
        path.unlink()
        if damage == "empty":
            path.write_bytes(b"")
        elif damage == "cut":
            path.write_bytes(data[: len(data) // 2])
        elif damage == "noise":
            path.write_bytes(data[:100] + bytes(range(256)) + data[100:])
        with pytest.raises(ModelFileError, match=path.name.replace(".", r"\.")):
            type(tagger)(copy)
        path.write_bytes(data)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", 2),
        ("labels", ["O", "B-PER"]),
        ("labels", None),
        ("price", float("nan")),
        ("price", [0.3, 0.4]),
        ("transitions", [[0.0] * 9] * 8),
        ("transitions", "none"),
        ("calibration", {"PER": {"slope": 1.0, "offset": 0.0}}),
        ("calibration", []),
        ("prior", {}),
        ("prior", {tag: [0.0] for tag in ("PER", "LOC", "ORG", "OTHER")}),
    ],
)
def test_settings_that_cannot_be_are_told(
    tagger: Tagger, copy: Path, key: str, value: object
) -> None:
    path = copy / "recognizer.json"
    content = json.loads(path.read_text())
    for changed in ({**content, key: value}, {k: v for k, v in content.items() if k != key}):
        path.write_text(json.dumps(changed))
        with pytest.raises(ModelFileError, match=r"recognizer\.json"):
            type(tagger)(copy)
