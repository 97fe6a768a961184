"""The training of the entailer of descriptions, and the figures of the one that is shipped."""

from pathlib import Path

import numpy as np
import pytest

from deixis.errors import DataError
from deixis.tools.captions.entailer import CaptionWords
from deixis.tools.captions.features import Named
from deixis.training import train_entailer as command
from deixis.training.entailer import Captioned, briefly, read_captions, train_entailer
from deixis.training.train_entailer import by_caption, by_text, read_tweets, report

pytestmark = pytest.mark.extra("train")

DATA = Path(__file__).parents[2].parent / "shared" / "data"
KINDS = ("PER", "LOC", "ORG", "OTHER")


def tweet(number: int) -> Captioned:
    """A name of each type in turn; it is shown where the description says so, but for a few."""
    kind, seen = KINDS[number % 4], number // 4 % 2 == 0
    caption = f"There it {'stands' if seen else 'lies'}. Rest of it {number}."
    words = ("we", f"Name{number}", "saw")
    return Captioned(words, caption, (Named(1, 2, kind, None),), (seen != (number % 19 == 0),))


def test_what_is_learnt_is_what_the_description_says(tmp_path: Path) -> None:
    tweets = [tweet(number) for number in range(240)]
    train_entailer(tweets, tmp_path)
    entailer = CaptionWords(tmp_path)
    told, turned = by_caption(entailer, tweets[:4]), by_caption(entailer, tweets[4:8])
    assert (told > turned + 0.2).all()
    known = np.load(tmp_path / "weights.npz")["features"].tobytes().decode()
    assert "w=stands" in known
    assert "name7" not in known and "17" not in known, "words of one tweet alone are not kept"
    first = [(tmp_path / name).read_bytes() for name in ("weights.npz", "entailer.json")]
    train_entailer(tweets, tmp_path)
    again = [(tmp_path / name).read_bytes() for name in ("weights.npz", "entailer.json")]
    assert first == again, "the same tweets give the same bytes"


@pytest.mark.parametrize("line", ["[1]", '{"id": 1}', '{"id": 1, "caption": null}', "{", ""])
def test_a_line_that_is_no_description_is_told(tmp_path: Path, line: str) -> None:
    path = tmp_path / "captions.jsonl"
    path.write_text(f'{{"id": "1", "caption": " a man "}}\n{line}\n{{}}')
    with pytest.raises(DataError, match=r'captions.jsonl:2: expected {"id": ..., "caption": text}'):
        read_captions(path)


def test_a_description_with_a_strange_line_end_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "captions.jsonl"
    path.write_text('{"id": 7, "caption": "a man\u2028waves "}\n', encoding="utf-8")
    assert read_captions(path) == {"7": "a man\u2028waves"}


def test_missing_data_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main([str(tmp_path), str(tmp_path), "--check"])
    assert ended.value.code == 1
    assert "train.txt" in (told := capsys.readouterr().err) or "dev.txt" in told


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "gmner").is_dir(), reason="the tweets are not beside the checkout")
def test_the_shipped_entailer_keeps_its_figures() -> None:
    entailer, tweets = CaptionWords(), read_tweets(DATA / "gmner", DATA / "fmnerg", "dev")
    found, prior = report(tweets, by_caption(entailer, tweets)), report(tweets, by_text(tweets))
    assert found.auc["all"] >= 0.86 and found.error <= 0.03
    assert found.accuracy >= prior.accuracy + 0.05
    assert all(found.auc[kind] > prior.auc[kind] + 0.1 for kind in KINDS)
    first = report(tweets, by_caption(entailer, [briefly(each) for each in tweets]))
    assert first.auc["all"] >= 0.85 and first.error <= 0.03
