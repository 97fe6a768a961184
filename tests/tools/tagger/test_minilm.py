"""The neural recognizer: pieces, windows, fine types, and faults of its files."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis import build_graph
from deixis.errors import MissingExtraError, ModelFileError, ToolError
from deixis.settings import Settings
from deixis.tools.registry import load
from deixis.tools.tagger.casing import casing
from deixis.tools.tagger.crf import MODEL_FOLDER as CRF_FOLDER
from deixis.tools.tagger.crf import CrfTagger
from deixis.tools.tagger.field import write
from deixis.tools.tagger.marginals import chain_marginals, span_marginals
from deixis.tools.tagger.minilm import MiniLmTagger
from deixis.tools.tagger.tokenization import tokenize
from deixis.type_schema import TypeSchema

from .conftest import FINE_OF, LABELS, REACH, write_network

pytestmark = pytest.mark.extra

pytest.importorskip("tokenizers")
onnxruntime = pytest.importorskip("onnxruntime")

MANY = " ".join(
    "".join(word) for word in np.random.default_rng(1).choice(list("abcdeFGH"), (300, 4))
)
"""Words enough for mentions of every type, and long ones."""
TEXT = "Justin Bieber, not Ann, sang in Chicago for NASA. "


@pytest.fixture(scope="module")
def tagger(tiny_minilm: Path) -> MiniLmTagger:
    return MiniLmTagger(tiny_minilm)


@pytest.fixture
def changed(tiny_minilm: Path, tmp_path: Path) -> Callable[..., Path]:
    """Copy the model folder with other settings."""

    def copy(**settings: Any) -> Path:
        folder = Path(shutil.copytree(tiny_minilm, tmp_path / "changed", dirs_exist_ok=True))
        path = folder / "recognizer.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | settings))
        return folder

    return copy


def words(text: str) -> list[str]:
    return [token.text for token in tokenize(text)]


def run(folder: Path, ids: list[int], classes: list[int]) -> list[Any]:
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    rows = {"ids": [ids], "casing": [classes], "mask": [[1] * len(ids)]}
    given = {name: np.array(row, dtype=np.int64) for name, row in rows.items()}
    return [scores[0] for scores in session.run(["coarse", "fine"], given)]


def test_the_network_is_given_pieces_and_how_their_tokens_are_written(
    tagger: MiniLmTagger, tiny_minilm: Path
) -> None:
    from tokenizers import Tokenizer

    tokens = ["Justin", "\0", "sang", "abcdefghij", "\ud800", "NASA"]
    tokenizer = Tokenizer.from_file(str(tiny_minilm / "tokenizer.json"))
    numbers = {piece: tokenizer.token_to_id(piece) for piece in ("justin", "sang", "nasa")}
    letters = [tokenizer.token_to_id(piece) for piece in ["a", *(f"##{x}" for x in "bcdefgh")]]
    question = tokenizer.token_to_id("?")  # in the place of half a code point
    own = [[numbers["justin"]], [100], [numbers["sang"]], letters, [question], [numbers["nasa"]]]
    around = zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False)
    classes = [casing(token, before, after) for before, token, after in around]
    ids = [101, *(piece for pieces in own for piece in pieces), 102]
    repeated = [kind for kind, pieces in zip(classes, own, strict=True) for _ in pieces]
    coarse, fine = run(tiny_minilm, ids, [0, *repeated, 0])
    pieces, given, first = tagger._pieces.cut(tokens)
    assert pieces.tolist() == ids[1:-1] and given.tolist() == repeated
    assert first.tolist() == [0, 1, 2, 3, 11, 12]
    scores = tagger._network.scores(pieces, given, first)
    assert np.array_equal(scores[0], coarse[first + 1])
    assert np.array_equal(scores[1], fine[first + 1])


@pytest.mark.parametrize("repeated", [1, 30, 35, 70, 300])
@pytest.mark.parametrize(("window", "stride"), [(512, 384), (64, 32), (16, 9)])
def test_windows_give_every_token_what_a_look_at_the_whole_gives(
    tagger: MiniLmTagger,
    changed: Callable[..., Path],
    repeated: int,
    window: int,
    stride: int,
) -> None:
    pieces, classes, first = tagger._pieces.cut(words(TEXT * repeated))
    folder = changed(window=window, stride=stride)
    cut = MiniLmTagger(folder)
    ids, around = [101, *pieces.tolist(), 102], [0, *classes.tolist(), 0]
    whole = [scores[first + 1] for scores in run(folder, ids, around)]
    assert (window - 2 - stride) // 2 >= REACH, "or the network would see the edges"
    for scores, expected in zip(cut._network.scores(pieces, classes, first), whole, strict=True):
        assert np.abs(scores - expected).max() < 1e-5


def test_windows_without_overlap_still_give_every_token_scores(
    changed: Callable[..., Path],
) -> None:
    tagger = MiniLmTagger(changed(window=12, stride=10, max_pieces_per_token=3))
    for count in range(1, 40):
        coarse, fine = tagger._network.scores(*tagger._pieces.cut(words("Annabel ") * count))
        assert coarse.shape == (count, 9) and fine.shape == (count, 51)
        assert np.abs(coarse).max() < 100, "nothing is left as it was allocated"


def test_the_network_sees_across_a_line_and_the_field_does_not(tagger: MiniLmTagger) -> None:
    def second(text: str) -> list[Any]:
        start = text.index("\n") + 1
        return [own[3:] for both in tagger.weigh(text) for own in both if own.start >= start]

    assert second("Ann\nChicago") != second("NASA\nChicago")
    assert second("Ann\nChicago") == second("Ann\n\n \r\nChicago") != []
    far = "one two three four"
    assert second(f"Ann {far}\nChicago") == second(f"NASA {far}\nChicago")


def test_a_fine_type_is_one_of_the_type_of_the_span(tagger: MiniLmTagger) -> None:
    spans = [own for both in tagger.weigh(MANY) for own in both]
    for span in spans:
        assert span.fine_type is not None and FINE_OF[span.fine_type] == span.type
    assert {span.type for span in spans} == {"PER", "LOC", "ORG", "OTHER"}


def test_a_fine_type_is_the_likeliest_by_the_mean_of_its_tokens(
    tagger: MiniLmTagger, changed: Callable[..., Path]
) -> None:
    tokens = words(MANY)
    exact = MiniLmTagger(changed(fine_calibration={"slope": 1.0, "offset": 0.0}))
    _, fine = exact._network.scores(*exact._pieces.cut(tokens))
    mentions, calibrated = exact.tag_tokens(tokens), tagger.tag_tokens(tokens)
    assert any(own.end - own.start > 1 for own in mentions)
    for mention, other in zip(mentions, calibrated, strict=True):
        names = [name for name, kind in FINE_OF.items() if kind == mention.type]
        columns = [list(FINE_OF).index(name) for name in names]
        logs = np.array(
            [
                [row[k] - np.log(np.exp(row[columns]).sum()) for k in columns]
                for row in fine[mention.start : mention.end]
            ]
        ).mean(axis=0)
        shares = np.exp(logs) / np.exp(logs).sum()
        assert mention.fine_type == other.fine_type == names[int(shares.argmax())]
        assert mention.fine_confidence == pytest.approx(float(shares.max()), rel=1e-5)
        odds = 0.8 * np.log(shares.max() / (1 - shares.max())) - 0.1
        assert other.fine_confidence == pytest.approx(1 / (1 + np.exp(-odds)), rel=1e-5)


def test_a_type_may_have_no_fine_type(changed: Callable[..., Path]) -> None:
    people = dict.fromkeys(FINE_OF, "PER")
    tagger = MiniLmTagger(changed(fine_of=people))
    spans = [own for both in tagger.weigh(TEXT * 5) for own in both]
    assert {own.type for own in spans} > {"PER"}
    for span in spans:
        assert (span.fine_type is None) is (span.type != "PER")


@pytest.mark.parametrize("weight", [0.25, 0.6])
def test_a_second_opinion_is_added_in_one_chain(
    tagger: MiniLmTagger, changed: Callable[..., Path], weight: float
) -> None:
    field = CrfTagger()
    both = MiniLmTagger(changed(second_opinion=weight))
    tokens = words(TEXT)
    coarse, _ = tagger._network.scores(*tagger._pieces.cut(tokens))
    nodes, pairs = chain_marginals(
        (1 - weight) * coarse + weight * field.scores(tokens),
        tagger._start,
        tagger._transitions + weight * field.transitions,
    )
    expected = span_marginals(nodes, pairs, LABELS, 0.05)
    assert both.candidates(tokens) == pytest.approx(expected)
    assert expected != pytest.approx(tagger.candidates(tokens))


def test_a_folder_may_have_a_field_of_its_own(changed: Callable[..., Path]) -> None:
    folder = changed(second_opinion=0.9)
    shipped = MiniLmTagger(folder).candidates(words(TEXT))
    own = Path(shutil.copytree(CRF_FOLDER, folder / "crf"))
    assert MiniLmTagger(folder).candidates(words(TEXT)) == shipped
    write({("lower=chicago", label): 1.0 for label in LABELS}, LABELS, own / "weights.npz")
    assert MiniLmTagger(folder).candidates(words(TEXT)) != shipped
    settings = json.loads((own / "recognizer.json").read_text())
    settings["labels"] = settings["labels"][::-1]
    (own / "recognizer.json").write_text(json.dumps(settings))
    with pytest.raises(ModelFileError, match="its labels are not those of"):
        MiniLmTagger(folder)
    shutil.rmtree(own)
    own.write_text("no folder")
    with pytest.raises(ModelFileError, match=r"crf/recognizer\.json"):
        MiniLmTagger(folder)


def test_it_is_a_tool_for_the_recognizer(tiny_minilm: Path) -> None:
    assert isinstance(load(f"minilm-ner:{tiny_minilm}", "recognizer"), MiniLmTagger)


@pytest.mark.parametrize("package", ["tokenizers", "onnxruntime"])
def test_a_missing_package_is_told(
    tiny_minilm: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"{package}.*deixis\[starter\]"):
        MiniLmTagger(tiny_minilm)


def test_a_folder_without_a_network_says_so(changed: Callable[..., Path]) -> None:
    folder = changed()
    (folder / "model.onnx").unlink()
    with pytest.raises(ModelFileError, match=r"model\.onnx: there is no such model"):
        MiniLmTagger(folder)


@pytest.mark.parametrize("sizes", [{"labels": 8}, {"fine": 50}])
def test_a_network_of_other_labels_is_told(
    changed: Callable[..., Path], sizes: dict[str, int]
) -> None:
    folder = changed()
    write_network(folder / "model.onnx", **sizes)
    with pytest.raises(ModelFileError, match="9 labels and 51 fine types"):
        MiniLmTagger(folder)


def test_a_tokenizer_of_another_model_is_told(changed: Callable[..., Path]) -> None:
    path = changed() / "tokenizer.json"
    path.write_text(
        path.read_text().replace('"[CLS]": 101', '"[CLS]": 1').replace('"[CLS]":101', '"[CLS]":1')
    )
    with pytest.raises(ModelFileError, match=r"\[CLS\] is not 101"):
        MiniLmTagger(path.parent)


@pytest.mark.parametrize(
    "settings",
    [
        {"start": [0.0] * 8},
        {"fine": "none"},
        {"fine_of": {}},
        {"fine_of": dict.fromkeys(FINE_OF, "MISC")},
        {"fine_calibration": {"slope": 1.0}},
        {"max_pieces_per_token": 0},
        {"window": 512, "stride": 511},
        {"stride": 0},
        {"window": None},
        {"second_opinion": 1.0},
        {"second_opinion": None},
        {"window": 10**30},
        {"max_pieces_per_token": float("inf")},
    ],
    ids=str,
)
def test_settings_that_cannot_be_are_told(
    changed: Callable[..., Path], settings: dict[str, Any]
) -> None:
    with pytest.raises(ModelFileError, match=r"recognizer\.json: incomplete"):
        MiniLmTagger(changed(**settings))


def test_scores_that_are_no_numbers_are_told(changed: Callable[..., Path]) -> None:
    folder = changed()
    write_network(folder / "model.onnx", scale=float("nan"))
    with pytest.raises(ToolError, match=r"model\.onnx gave scores that are no numbers"):
        MiniLmTagger(folder).tag(TEXT)


def test_a_piece_that_the_network_does_not_know_is_told(changed: Callable[..., Path]) -> None:
    folder = changed()
    write_network(folder / "model.onnx", pieces=103)
    with pytest.raises(ToolError, match=r"model\.onnx failed"):
        MiniLmTagger(folder).tag(TEXT)


def test_labels_may_stand_in_any_order(
    tagger: MiniLmTagger, changed: Callable[..., Path], tiny_minilm: Path
) -> None:
    content = json.loads((tiny_minilm / "recognizer.json").read_text())
    order = [3, 4, 0, 8, 7, 1, 2, 5, 6]
    folder = changed(
        labels=[LABELS[k] for k in order],
        start=[content["start"][k] for k in order],
        transitions=[[content["transitions"][a][b] for b in order] for a in order],
    )
    write_network(folder / "model.onnx", order=order)
    mentions = MiniLmTagger(folder).tag(TEXT)
    assert [own[:3] for own in mentions] == [own[:3] for own in tagger.tag(TEXT)]


def test_a_graph_without_a_language_model_has_the_fine_types(tiny_minilm: Path) -> None:
    roles = {"recognizer": f"minilm-ner:{tiny_minilm}"}
    given = {"name": "test", "schema": "fmnerg", "roles": roles}
    extraction = build_graph(Settings.model_validate(given)).invoke({"text": MANY[:400]})
    kinds = TypeSchema.load("fmnerg")
    assert extraction["entities"]
    for entity in extraction["entities"]:
        assert entity["fine_type"] in kinds.get(entity["type"]).fine_types
        (decided,) = [own for own in entity["decisions"] if own["subject"] == "fine_type"]
        assert (decided["step"], decided["outcome"]) == ("recognize", entity["fine_type"])
        assert decided["model"] == roles["recognizer"] and 0 < decided["confidence"] < 1
