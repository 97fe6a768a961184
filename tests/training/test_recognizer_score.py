from pathlib import Path
from typing import Any

import pytest

from deixis.errors import InputError
from deixis.evaluation.datasets.conll import read_conll
from deixis.evaluation.datasets.voc import read_voc
from deixis.tools.tagger.crf import CrfTagger
from deixis.tools.tagger.minilm import MiniLmTagger
from deixis.training import train_minilm, train_recognizer
from deixis.training.samples import samples_of
from deixis.training.train_minilm import fine_f1, lower_cased, read_split
from deixis.training.train_recognizer import check_mentions, check_prior

pytestmark = pytest.mark.extra

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "gmner"


there = pytest.mark.skipif(not DATA.is_dir(), reason="the tweets are not beside the checkout")


@pytest.mark.slow
@there
def test_the_shipped_crf_keeps_its_score() -> None:
    tagger = CrfTagger()
    learned, samples = read_conll(DATA / "train.txt"), read_conll(DATA / "dev.txt")
    shown = read_voc(DATA / "xml.tar.gz")
    report = check_mentions(tagger, samples)
    assert report.scores["all"].gold == 2450
    assert report.scores["all"].f1 >= 0.71
    assert report.scores["PER"].f1 >= 0.83
    assert report.calibrated_error <= 0.03
    prior = check_prior(tagger, samples_of(learned, shown), samples_of(samples, shown))
    assert prior.log_loss < prior.constant_log_loss
    assert prior.error <= 0.03


@pytest.mark.slow
@there
def test_the_shipped_network_keeps_its_score() -> None:
    tagger = MiniLmTagger()
    samples = read_split(DATA, DATA.parent / "fmnerg", "dev")
    report = check_mentions(tagger, samples)
    assert report.scores["all"].f1 >= 0.78
    assert report.calibrated_error <= 0.02
    assert fine_f1(tagger, samples) >= 0.63
    assert check_mentions(tagger, lower_cased(samples)).scores["all"].f1 >= 0.74


@pytest.mark.parametrize("command", [train_minilm.main, train_recognizer.main])
def test_a_missing_folder_is_one_line(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    folders = ["nowhere"] * (2 if command is train_minilm.main else 1)
    for more in ([], ["--check"]):
        with pytest.raises(SystemExit) as stopped:
            command([*folders, *more])
        assert stopped.value.code == 1
        message = capsys.readouterr().err
        assert message.count("\n") == 1 and "nowhere" in message


def test_tweets_without_fine_tags_are_told(tmp_path: Path) -> None:
    for folder, tokens in (
        ("gmner", "Ann\tB-PER\nsang\tO\n"),
        ("fmnerg", "Ann\tB-person\tB-musician\n"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "dev.txt").write_text(f"IMGID:1\n{tokens}\n")
    with pytest.raises(InputError, match="no fine tags for the tokens of 1"):
        read_split(tmp_path / "gmner", tmp_path / "fmnerg", "dev")
