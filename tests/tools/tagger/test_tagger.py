import functools
import gzip
import itertools
import json
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.errors import MissingExtraError, ModelFileError
from deixis.tools.tagger.crf import MODEL_FOLDER, CrfTagger
from deixis.tools.tagger.features import (
    PRIOR_FEATURES,
    MentionSpan,
    WordEntry,
    normalize,
    prior_features,
    shape,
    token_features,
)
from deixis.tools.tagger.marginals import best_spans, pair_marginals, span_marginals

pytestmark = [pytest.mark.slow, pytest.mark.extra]

pycrfsuite = pytest.importorskip("pycrfsuite", reason="the starter extra is not installed")

LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


@pytest.fixture(scope="module")
def tagger() -> CrfTagger:
    return CrfTagger()


def named(tagger: CrfTagger, text: str) -> dict[str, str]:
    return {text[span.start : span.end]: span.type for span in tagger.tag(text)}


def test_prose(tagger: CrfTagger) -> None:
    found = named(
        tagger, "Grace Hopper of the US Navy with a UNIVAC computer at Harvard University."
    )
    assert found["Grace Hopper"] == "PER"
    assert found["US Navy"] == "ORG"
    assert found["Harvard University"] == "ORG"


def test_prose_with_places(tagger: CrfTagger) -> None:
    found = named(
        tagger,
        "Astronaut Eileen Collins of NASA in front of the Space Shuttle Discovery, in Houston, "
        "Texas.",
    )
    assert found["Eileen Collins"] == "PER"
    assert found["NASA"] == "ORG"
    assert found["Houston"] == "LOC"
    assert found["Texas"] == "LOC"


def test_raw_tweet(tagger: CrfTagger) -> None:
    text = "RT @someone: Justin Bieber's concert in Chicago tonight!! ❤️ #fun https://t.co/abc"
    assert named(tagger, text) == {"Justin Bieber": "PER", "Chicago": "LOC"}


PIECES = st.sampled_from(
    ["Justin Bieber", "NASA", "in Paris", " ", "\n", "#", "@", "'s", "👩\u200d🚀", "\ufe0f", "\0"]
)


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(), st.lists(PIECES, max_size=12).map("".join)))
def test_spans_are_sane(text: str) -> None:
    position = 0
    for span in shared().tag(text):
        mention = text[span.start : span.end]
        assert position <= span.start < span.end <= len(text)
        assert mention == mention.strip() != ""
        assert "\n" not in mention
        assert span.type in ("PER", "LOC", "ORG", "OTHER")
        assert 0 < span.confidence < 1
        assert 0 < span.shown_prior < 1
        position = span.end


@functools.cache
def shared() -> CrfTagger:
    return CrfTagger()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "\0" * 50,
        "東京タワー" * 20_000,
        "x" * 100_000,
        "Justin Bieber in Chicago. " * 4_000,
        "JUSTIN BIEBER IN CHICAGO",
        "باراك أوباما في القاهرة",
        "Justin \ud800 Bieber\udfff",
    ],
    ids=["empty", "blank", "nul", "no-space", "one-word", "long", "shouted", "rtl", "surrogate"],
)
def test_odd_texts(tagger: CrfTagger, text: str) -> None:
    for span in tagger.tag(text):
        assert text[span.start : span.end] == text[span.start : span.end].strip() != ""


def test_offsets_in_a_long_text(tagger: CrfTagger) -> None:
    sentence = "Justin Bieber sang in Chicago. "
    text = "👩\u200d🚀\n" + sentence * 200
    names = {text[span.start : span.end] for span in tagger.tag(text)}
    assert {"Justin Bieber", "Chicago"} <= names
    assert max(span.end for span in tagger.tag(text)) > len(text) - len(sentence)


def test_no_mention_crosses_a_line(tagger: CrfTagger) -> None:
    text = "I met Justin\nBieber"
    assert all("\n" not in text[span.start : span.end] for span in tagger.tag(text))


def test_threads_get_the_same_answers(tagger: CrfTagger) -> None:
    texts = [f"Justin Bieber and {name} in Chicago" for name in ("Obama", "NASA", "Adele")] * 20
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(tagger.tag, texts)) == [tagger.tag(text) for text in texts]


def test_calibration_changes_the_raw_marginal_monotonously(tagger: CrfTagger) -> None:
    curve = [tagger.calibrate("PER", raw) for raw in np.linspace(0, 1, 21)]
    assert curve == sorted(curve)
    assert 0 < curve[0] < 0.5 < curve[-1] < 1


def test_span_marginals_equal_the_sum_over_all_labellings(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    trainer = pycrfsuite.Trainer("lbfgs", verbose=False)
    for _ in range(60):
        rows = [[f"w{rng.integers(6)}", f"v{rng.integers(3)}"] for _ in range(5)]
        trainer.append(rows, [LABELS[rng.integers(len(LABELS))] for _ in rows])
    trainer.set_params({"c2": 0.05, "max_iterations": 60, "feature.possible_transitions": True})
    trainer.train(str(tmp_path / "m"))
    model = pycrfsuite.Tagger()
    with model.open(str(tmp_path / "m")):
        weights = model.info().transitions
        model.set([["w0", "v1"], ["w5"], ["w2", "v2"], ["v0"]])
        nodes = np.array([[model.marginal(label, i) for label in LABELS] for i in range(4)])
        truth: dict[tuple[int, int, str], float] = {}
        for path in itertools.product(LABELS, repeat=4):
            probability = model.probability(path)
            for start, end, kind in spans_of(path):
                truth[start, end, kind] = truth.get((start, end, kind), 0.0) + probability
    transitions = np.array([[weights.get((a, b), 0.0) for b in LABELS] for a in LABELS])
    found = span_marginals(nodes, transitions, LABELS, 1e-6)
    assert found.keys() == {span for span, p in truth.items() if p >= 1e-6}
    assert max(abs(found[span] - truth[span]) for span in found) < 1e-6


def spans_of(path: tuple[str, ...]) -> list[tuple[int, int, str]]:
    spans = []
    for start, label in enumerate(path):
        if label.startswith("B-"):
            end = start + 1
            while end < len(path) and path[end] == f"I-{label[2:]}":
                end += 1
            spans.append((start, end, label[2:]))
    return spans


def test_pair_marginals_have_the_given_margins() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.dirichlet(np.ones(9), 20), rng.dirichlet(np.ones(9) * 0.1, 20)
    joint = pair_marginals(left, right, rng.normal(size=(9, 9)) * 3)
    assert np.abs(joint.sum(axis=2) - left).max() < 1e-6
    assert np.abs(joint.sum(axis=1) - right).max() < 1e-6


def test_best_spans_never_overlap_and_maximise_the_gain() -> None:
    table = {(0, 2, "PER"): 0.6, (0, 1, "PER"): 0.5, (1, 2, "LOC"): 0.5, (3, 4, "ORG"): 0.2}
    assert best_spans(table, 0.3) == [((0, 1, "PER"), 0.5), ((1, 2, "LOC"), 0.5)]
    assert best_spans(table, 0.45) == [((0, 2, "PER"), 0.6)]
    assert best_spans({}, 0.3) == []


@pytest.mark.parametrize(
    ("token", "low", "form"),
    [
        ("McDonald", "mcdonald", "XxXxx"),
        ("2NE1", "0ne0", "dXXd"),
        ("http…", "<url>", "xx…"),
        ("https://t.co/Ab", "<url>", "xx://x.xx/Xx"),
        ("日本", "日本", "aa"),
    ],
)
def test_normalize_and_shape(token: str, low: str, form: str) -> None:
    assert normalize(token) == low
    assert shape(token) == form


def test_token_features_see_clusters_and_signs() -> None:
    rows = token_features(
        ["RT", "@", "GoBears", "now"],
        {"now": WordEntry(("1", "2"), ()), "bears": WordEntry(("7",), ("L3",))},
    )
    assert "1~11" not in rows[2] and "1~01" in rows[2] and "1~12" in rows[2]
    assert {"a@", "a@ rt", "hgo", "hbears", "q07", "ql07"} <= set(rows[2])
    assert not any(feature.startswith("a@") for feature in rows[3])


def test_prior_features_by_hand() -> None:
    tokens = ["RT", "#", "Ada", "in", "New", "York", "."]
    first, second = prior_features(tokens, [MentionSpan(2, 3, "PER"), MentionSpan(4, 6, "LOC")])
    one, two = (dict(zip(PRIOR_FEATURES, row, strict=True)) for row in (first, second))
    assert one["hashtag"] == one["retweet"] == one["first"] == one["single_word"] == 1.0
    assert two["hashtag"] == two["handle"] == two["first"] == two["single_word"] == 0.0
    assert one["mentions"] == 2 / 8 and one["same_type"] == 1 / 8
    assert two["words"] == 2 / 6 and two["sentence_end"] == 1.0


def test_a_face_is_likelier_shown_than_a_place(tagger: CrfTagger) -> None:
    shown = {span.type: span.shown_prior for span in tagger.tag("Justin Bieber in Chicago")}
    assert shown["PER"] > 0.4 > 0.25 > shown["LOC"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODEL_FOLDER, tmp_path / "model"))


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycrfsuite", None)
    with pytest.raises(MissingExtraError, match=r"deixis\[starter\]"):
        CrfTagger()


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="nowhere"):
        CrfTagger(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["recognizer.json", "lexicon.tsv.gz", "model.crfsuite.gz"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "noise"])
def test_damaged_folder(copy: Path, name: str, damage: str) -> None:
    path = copy / name
    data = path.read_bytes()
    path.unlink()
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "noise":
        path.write_bytes(data[:100] + bytes(range(256)) + data[100:])
    with pytest.raises(ModelFileError, match=name.replace(".", r"\.")):
        CrfTagger(copy)


def test_field_that_is_no_model(copy: Path) -> None:
    (copy / "model.crfsuite.gz").write_bytes(gzip.compress(b"not a model at all"))
    with pytest.raises(ModelFileError, match="not a CRFsuite model"):
        CrfTagger(copy)


@pytest.mark.parametrize("key", ["format", "labels", "price", "transitions", "prior"])
def test_settings_without_a_part(copy: Path, key: str) -> None:
    path = copy / "recognizer.json"
    content = json.loads(path.read_text())
    del content[key]
    path.write_text(json.dumps(content))
    with pytest.raises(ModelFileError, match="recognizer"):
        CrfTagger(copy)
