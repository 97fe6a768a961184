"""What is written for RiVEG's evaluator, counted as that counts.

`counted` does on strings what the released ``statistic.py`` does, written anew from what that
does: it takes fields from both ends of a line, and fails where one is not there.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import DataError
from deixis.evaluation.metrics.scoring import How, evaluate
from deixis.formats import files
from deixis.formats.riveg_release import DescribedRow, join, write_gold, write_samples
from deixis.rows import Row

DEV = Path(__file__).parents[2].parent / "shared/data/reference/gmner_dev/gold.jsonl"


def numbers(box: str) -> list[float]:
    return [float(part) for part in box.split("[")[1].split("]")[0].split(",")]


def overlap(one: list[float], other: list[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0, width) * max(0, height)
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return shared / union if (union := sum(areas) - shared) else 0.0


def counted(gold: Path, samples: Path, boxes: Path) -> tuple[int, int, int]:
    """Return how many lines are right, how many were predicted, and how many there are."""
    lines = samples.read_text().splitlines()
    expressions = {x.split("###")[0].split("Imageid:")[1]: x.split("###")[2] for x in lines}
    pointed = json.loads(boxes.read_text())
    assert all(expressions[each["uniq_id"]] for each in pointed)
    waiting = iter(pointed)
    predicted = [
        line.split("Imageid:")[1]
        + "###&"
        + ("[0, 0, 0, 0]" if line[-1] == "0" else str(next(waiting)["box"]))
        for line in lines
    ]
    assert next(waiting, None) is None
    labels = [line.split("###") for line in gold.read_text().splitlines()]
    right = sum(any(fits(each.split("###"), label) for label in labels) for each in predicted)
    return right, len(predicted), len(labels)


def fits(predicted: list[str], label: list[str]) -> bool:
    if predicted[0].split(".jpg#")[0] + ".jpg" + predicted[1] != label[0] + label[1]:
        return False
    if int(predicted[-2]) == 0:
        return int(label[-2]) == 0
    box = numbers(predicted[-1].split("&")[-1])
    return any(overlap(numbers(one), box) >= 0.5 for one in label[-1].split("&")[1:])


def entity(text: str, kind: str, *boxes: tuple[float, ...], **more: Any) -> dict[str, Any]:
    return {"text": text, "type": kind, "regions": [{"box": box} for box in boxes], **more}


GOLD: list[dict[str, Any]] = [
    {
        "id": "16_05_20_640",
        "entities": [
            entity("Ada Lovelace", "PER", (10, 10, 50, 90), (60, 10, 90, 90), expression="a woman"),
            entity("R # Navy", "ORG"),
            entity("The Band (live)", "ORG", (1, 2, 3, 4)),
        ],
    },
    {"id": "O_2371", "entities": []},
    {"id": "71044", "entities": [entity("H &amp ; M", "ORG", (0, 0, 9, 9)), entity("Rome", "LOC")]},
]
PREDICTED: list[dict[str, Any]] = [
    {
        "id": "16_05_20_640",
        "entities": [
            entity(
                "Ada Lovelace",
                "PER",
                (61, 11, 89, 89),
                expression="Ada Lovelace (PER) – a woman in a dress",  # noqa: RUF001
            ),
            entity("R # Navy", "ORG"),
            entity("The Band (live)", "ORG"),
        ],
    },
    {"id": "O_2371", "entities": [entity("Bo", "PER", (0, 0, 1, 1))]},
    {
        "id": "71044",
        "entities": [entity("H &amp ; M", "ORG", (5, 5, 90, 90)), {"text": "Rome", "type": "LOC"}],
    },
]


def rows(records: list[dict[str, Any]]) -> list[DescribedRow]:
    return [DescribedRow.model_validate(record) for record in records]


def written(folder: Path, predicted: list[dict[str, Any]]) -> tuple[Path, Path, Path]:
    paths = (folder / "gold.txt", folder / "samples.txt", folder / "boxes.json")
    assert write_gold(paths[0], rows(GOLD)) == 5
    write_samples(*paths[1:], rows(predicted))
    return paths


def test_gold_is_as_released(tmp_path: Path) -> None:
    gold, *_ = written(tmp_path, GOLD)
    assert gold.read_text() == (
        "16_05_20_640.jpg###Ada Lovelace(PER)###a woman###2###&[10, 10, 50, 90]&[60, 10, 90, 90]\n"
        "16_05_20_640.jpg###R # Navy(ORG)###R # Navy###0###&[0, 0, 0, 0]\n"
        "16_05_20_640.jpg###The Band (live)(ORG)###The Band (live)###2###&[1, 2, 3, 4]\n"
        "71044.jpg###H &amp ; M(ORG)###H &amp ; M###2###&[0, 0, 9, 9]\n"
        "71044.jpg###Rome(LOC)###Rome###0###&[0, 0, 0, 0]\n"
    )


def test_samples_are_as_released(tmp_path: Path) -> None:
    _, samples, boxes = written(tmp_path, PREDICTED)
    first, second, *_ = samples.read_text().splitlines()
    name = "Ada Lovelace(PER)"
    assert first == f"Imageid:16_05_20_640.jpg#0000###{name}###{name}-a woman in a dress###2"
    assert second == "Imageid:16_05_20_640.jpg#0001###R # Navy(ORG)###R # Navy(ORG)-R # Navy###0"
    assert json.loads(boxes.read_text())[0] == {
        "uniq_id": "16_05_20_640.jpg#0000",
        "box": [61, 11, 89, 89],
    }


def test_their_evaluator_counts_what_ours_counts(tmp_path: Path) -> None:
    assert counted(*written(tmp_path, GOLD)) == (5, 5, 5)
    assert counted(*written(tmp_path, PREDICTED)) == (2, 6, 5)
    score = evaluate(rows(GOLD), rows(PREDICTED), How.named("gmner", convention="riveg"))
    ours = score.document()["score"]
    assert (ours["correct"], ours["predicted"], ours["gold"]) == (2, 6, 5)


def test_all_of_it_is_read_again(tmp_path: Path) -> None:
    gold, samples, boxes = written(tmp_path, PREDICTED)
    ids = [Row(id=row["id"]) for row in GOLD]
    read = files.read(gold, "riveg", ids)
    assert (read.problems, read.missing) == ({}, ("O_2371",))
    assert [row.entities for row in read.rows] == [
        Row.model_validate(row).entities for row in GOLD if row["entities"]
    ]
    (joined := tmp_path / "joined.txt").write_text(join(samples, boxes))
    read = files.read(joined, "riveg", ids)
    assert (read.problems, read.missing) == ({}, ())
    undecided = read.rows[2].entities[1]
    assert [region.box for region in undecided.regions or ()] == [(0, 0, 0, 0)]
    others = [row.entities for row in read.rows[:2]] + [read.rows[2].entities[:1]]
    wanted = [Row.model_validate(row).entities for row in PREDICTED]
    assert others == [*wanted[:2], wanted[2][:1]]


@pytest.mark.skipif(not DEV.is_file(), reason="the reference data is not beside the checkout")
def test_the_dev_split_of_twitter_gmner(tmp_path: Path) -> None:
    gold = [json.loads(line) for line in DEV.read_text(encoding="utf-8").splitlines()]
    for row in gold:
        for one in row["entities"]:
            one["regions"] = [{"box": box} for box in one.pop("boxes") or ()]
    paths = (tmp_path / "gold.txt", tmp_path / "samples.txt", tmp_path / "boxes.json")
    assert write_gold(paths[0], rows(gold)) == write_samples(*paths[1:], rows(gold)) == 2450
    read = files.read(paths[0], "riveg", rows(gold))
    entities = [each for row in read.rows for each in row.entities]
    assert (len(entities), sum(bool(each.regions) for each in entities)) == (2450, 991)
    assert sum(len(each.regions or ()) for each in entities) == 1171
    assert (read.problems, len(read.missing)) == ({}, 87)
    assert counted(*paths) == (2450, 2450, 2450)


def test_gold_says_of_all_whether_they_can_be_seen(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'71044': nobody said whether 'Rome' can be seen"):
        write_gold(tmp_path / "gold.txt", rows(PREDICTED))
    assert not (tmp_path / "gold.txt").exists()


@pytest.mark.parametrize(
    ("identity", "text", "said"),
    [("a#1.jpg###b", "Ann", None), ("1", "a###b", None), ("1", "Ann", "a\nb"), ("1", "Ann ", None)],
)
def test_what_the_lines_cannot_hold(
    identity: str, text: str, said: str | None, tmp_path: Path
) -> None:
    odd = rows([{"id": identity, "entities": [entity(text, "PER", expression=said)]}])
    with pytest.raises(DataError, match="the lines of RiVEG cannot hold"):
        write_samples(tmp_path / "samples.txt", tmp_path / "boxes.json", odd)
    with pytest.raises(DataError, match="the lines of RiVEG cannot hold"):
        write_gold(tmp_path / "gold.txt", odd)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not JSON"),
        ("{}", "not a JSON list"),
        ("[1]", "item 1 is no"),
        ('[{"uniq_id": "1.jpg#a"}]', "item 1 is no"),
        ('[{"uniq_id": "1.jpg#a", "box": [1, 2, 3]}]', "item 1 is no"),
        ('[{"uniq_id": 1, "box": [1, 2, 3, 4]}]', "item 1 is no"),
        ('[{"uniq_id": "1.jpg#b", "box": [1, 2, 3, 4]}]', "no line of .* is '1.jpg#b'"),
        ('[{"uniq_id": "1.jpg#c", "box": [1, 2, 3, 4]}]', "no line of .* is '1.jpg#c'"),
    ],
)
def test_boxes_that_do_not_fit(content: str, said: str, tmp_path: Path) -> None:
    (samples := tmp_path / "samples.txt").write_text(
        "Imageid:1.jpg#a###Ann(PER)###Ann(PER)-a woman###2\n"
        "Imageid:1.jpg#b###Bo(PER)###Bo(PER)-a man###0\n"
    )
    (boxes := tmp_path / "boxes.json").write_text(content)
    with pytest.raises(DataError, match=said):
        join(samples, boxes)


def test_blanks_behind_a_line_of_samples_are_nothing(tmp_path: Path) -> None:
    samples, boxes = tmp_path / "samples.txt", tmp_path / "boxes.json"
    samples.write_text(
        "Imageid:1.jpg#0000###Ann(PER)###Ann(PER)-a###2 \nImageid:1.jpg#0001###Bob(PER)###b###0\t\n"
    )
    boxes.write_text('[{"uniq_id": "1.jpg#0000", "box": [1, 2, 3, 4]}]')
    read = files.read(samples, "riveg", [Row(id="1")], boxes)
    places = [own.regions and own.regions[0].box for own in read.rows[0].entities]
    assert (places, read.problems) == ([(1, 2, 3, 4), ()], {})
