import json
import sys
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import MissingExtraError, SettingsError
from deixis.evaluation.datasets.mmre import MmreRow, Patch
from deixis.evaluation.metrics.mmre import ROUGES, answer_of, of_label, sheet, summaries
from deixis.formats.pfa import Answer, parse_answer, write_answer
from deixis.rows import RowEntity

REFERENCE = (
    Path(__file__).parents[3].parent / "shared" / "data" / "reference" / "rouge_bleu_reference.json"
)

GOLD = Answer(
    "Two people stand on a stage.",
    (("Ann", "PER"), ("Ann", "PER"), ("Acme", "ORG")),
    {"a": "Ann", "b": "Acme"},
)
EMPTY = Answer("", (), {})
Found = tuple[dict[str, float | None], float | None, tuple[str, str]]


def summaries_of(gold: list[str], told: list[str], wording: str = "plain") -> Found:
    """Return ROUGE, BLEU in per cent as sacrebleu gives it, and the signatures."""
    found = summaries(gold, told, wording)
    values = found.sheet.plain()
    bleu = values.pop("bleu")
    return values, None if bleu is None else 100 * bleu, found.signatures


@pytest.fixture
def libraries() -> None:
    pytest.importorskip("rouge_score", reason="the eval extra is not installed")
    pytest.importorskip("sacrebleu", reason="the eval extra is not installed")


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    if not REFERENCE.is_file():
        pytest.skip("the reference scores are not beside the checkout")
    found: dict[str, Any] = json.loads(REFERENCE.read_text())
    return found


@pytest.mark.extra
@pytest.mark.usefixtures("libraries")
@pytest.mark.parametrize(
    ("wording", "rouge", "bleu"),
    [
        ("plain", "rouge_no_stemmer", "sacrebleu_corpus"),
        ("stemmed", "rouge_stemmer", "sacrebleu_corpus"),
        ("sentences", "rouge_no_stemmer", "sacrebleu_sentence_mean"),
    ],
)
def test_reference_scores(wording: str, rouge: str, bleu: str, reference: dict[str, Any]) -> None:
    pairs = reference["pairs"]
    means, score, signatures = summaries_of(
        [pair["reference"] for pair in pairs], [pair["hypothesis"] for pair in pairs], wording
    )
    wanted = reference[rouge]["mean_fmeasure"]
    assert means == pytest.approx({name: wanted[name] for name in ROUGES}, abs=1e-9)
    expected = reference[bleu]
    if isinstance(expected, dict):
        assert signatures[1].split("|version")[0] == expected["signature"].split("|vers")[0]
        expected = expected["score"]
    assert score == pytest.approx(expected, abs=1e-9)


@pytest.mark.extra
@pytest.mark.usefixtures("libraries")
def test_reference_scores_of_each_text(reference: dict[str, Any]) -> None:
    for number, pair in enumerate(reference["pairs"]):
        sides = [pair["reference"]], [pair["hypothesis"]]
        bleu = reference["sacrebleu_sentence_effective_order"][number]
        assert summaries_of(*sides, "sentences")[1] == pytest.approx(bleu, abs=1e-9)
        for wording, key in (("plain", "rouge_no_stemmer"), ("stemmed", "rouge_stemmer")):
            wanted = {name: reference[key]["rows"][number][name]["fmeasure"] for name in ROUGES}
            assert summaries_of(*sides, wording)[0] == pytest.approx(wanted, abs=1e-9)


@pytest.mark.extra
@pytest.mark.usefixtures("libraries")
def test_all_scores_of_an_answer() -> None:
    told = parse_answer(
        "Task 1 Answer: Two people stand on a stage.\n"
        "Task 2 Answer: NER: :PER; Ann:ORG; Ann:ORG; Acme\n"
        "image-entity pair: {'a': 'Ann', 'b': 'Ann', 'c': 'Acme'}"
    )
    found = sheet([GOLD, GOLD], [told, EMPTY])
    assert found.plain() == pytest.approx(
        {"precision": 2 / 3, "recall": 2 / 6, "f1": 4 / 9, "patch_accuracy": 1 / 4}
    )
    person = sheet([of_label(GOLD, "PER")] * 2, [told, EMPTY]).plain()
    assert (person["recall"], person["patch_accuracy"]) == (1 / 4, 1 / 2)
    perfect = parse_answer(write_answer(GOLD))
    assert sheet([GOLD], [perfect]).plain() == dict.fromkeys(found.names, 1.0)
    means, bleu, _ = summaries_of([GOLD.summary] * 2, [told.summary, ""])
    assert means == dict.fromkeys(ROUGES, 0.5)
    assert bleu is not None and 0 < bleu < 100
    assert summaries_of([GOLD.summary], [perfect.summary])[1] == pytest.approx(100)


@pytest.mark.extra
@pytest.mark.usefixtures("libraries")
def test_signatures_say_what_was_used() -> None:
    signatures = {
        name: summaries_of(["a b"], ["a b"], name)[2]
        for name in ("plain", "stemmed", "sentences", "characters")
    }
    assert len(set(signatures.values())) == 4
    assert "stem:yes" in signatures["stemmed"][0]
    assert "tok:13a" in signatures["plain"][1]
    assert "eff:yes" in signatures["sentences"][1]
    assert "tok:char" in signatures["characters"][0]
    assert "tok:char" in signatures["characters"][1]
    assert all("version:" in text for pair in signatures.values() for text in pair)


@pytest.mark.extra
@pytest.mark.usefixtures("libraries")
def test_languages_without_spaces() -> None:
    gold, told = ["東京の夜景です"], ["東京の夜景"]
    assert summaries_of(gold, told)[0]["rouge1"] == 0
    means, bleu, _ = summaries_of(gold, told, "characters")
    assert means["rouge1"] == pytest.approx(2 * 5 / 12)
    assert bleu is not None and bleu > 50


@pytest.mark.extra
@pytest.mark.usefixtures("libraries")
def test_nothing_to_score() -> None:
    assert summaries_of([], [])[:2] == (dict.fromkeys(ROUGES), None)
    assert sheet([], []).plain() == {
        **dict.fromkeys(("precision", "recall", "f1"), 0.0),
        "patch_accuracy": None,
    }


def test_gold_of_a_row() -> None:
    row = MmreRow(
        id="1",
        summary="A stage.",
        entities=(RowEntity(text="Ann", type="PER"),),
        patches=(
            Patch(letter="a", box=(0, 0, 1, 1), entity="Ann"),
            Patch(letter="b", box=(0, 0, 1, 1)),
        ),
    )
    assert answer_of(row) == Answer("A stage.", (("Ann", "PER"),), {"a": "Ann"})


@pytest.mark.extra
@pytest.mark.parametrize(
    ("module", "package"),
    [("rouge_score.rouge_scorer", "rouge-score"), ("sacrebleu.metrics", "sacrebleu")],
)
@pytest.mark.usefixtures("libraries")
def test_missing_libraries(module: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"{package} .*deixis\[eval\]"):
        summaries(["a"], ["a"])


def test_wrong_calls() -> None:
    with pytest.raises(SettingsError, match="plain, stemmed, sentences, characters"):
        summaries(["a"], ["a"], "loud")
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        sheet([GOLD], [])
    with pytest.raises(ValueError, match="1 gold texts"):
        summaries(["a"], [])
