"""``deixis eval --task muie --tables``: cells of the paper, other rows, figures 3 and 4."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., tuple[int, str, str]]

BOX, AWAY = [{"box": [0, 0, 10, 10]}], [{"box": [50, 0, 60, 10]}]


def ner(id_: str, regions: Any, kind: str = "PER", **more: Any) -> dict[str, Any]:
    ann = {"text": "Ann", "type": kind, "regions": regions}
    return {"id": id_, "task": "ner", "text": "Ann", "image": "a.jpg", "entities": [ann], **more}


def heard(id_: str, spans: Any, **more: Any) -> dict[str, Any]:
    trigger = {"text": "fired", "spans": spans}
    entities = [{"text": "a man", "type": "x"}, {"text": "a car", "type": "x"}]
    events = [{"type": "Attack", "trigger": trigger, "arguments": [{"role": "Agent", "entity": 0}]}]
    row = {"id": id_, "task": "ee", "video": "a.mp4", "audio": "a.wav", "entities": entities}
    return {**row, "events": events, **more}


GOLD = [
    ner("1", BOX, dataset="twitter2017", aligned=True),
    ner("2", BOX, dataset="Twt17", aligned=False),
    ner("3", BOX, dataset="News"),
    heard("4", [[0, 1]], dataset="VidSitu-Aud", aligned=True),
]
TOLD = [ner("1", BOX), ner("2", AWAY, kind="LOC"), ner("3", BOX), heard("4", [[0, 2]])]


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return written(tmp_path / "gold.jsonl", GOLD), written(tmp_path / "told.jsonl", TOLD)


def test_cells_of_the_paper_have_its_figures_beside(deixis: Run, files: tuple[Path, Path]) -> None:
    code, printed, said = deixis("eval", *files, "--task", "muie", "--tables", "--rounds", 20)
    assert (code, said) == (0, "")
    lines = [line.split() for line in printed.splitlines()]
    assert ["T+I", "Twt17", "NER", "2", "50.00", "0.0-100.0", "47.4"] in lines
    assert ["T+I", "Twt17", "I-Seg", "2", "50.00", "0.0-100.0", "53.5"] in lines
    assert ["V+A", "VidSitu-Aud", "ET", "1", "100.00", "100.0-100.0", "24.2"] in lines
    assert ["V+A", "VidSitu-Aud", "A-Seg", "1", "50.00", "50.0-50.0", "20.9"] in lines
    assert ["T+I", "News", "NER", "1", "100.00", "100.0-100.0", "-"] in lines
    titles = [line for line in printed.splitlines() if line.startswith(("Table", "Rows", "Fig"))]
    assert [title[:8] for title in titles] == [
        "Table 2",
        "Table 5",
        "Rows of ",
        "Figure 3",
        "Figure 4",
    ]
    assert ["shared", "specific", "unknown"] in lines
    assert ["T+I", "NER", "100.00", "0.00", "100.00"] in lines
    assert ["1", "2"] in lines and ["T+I", "NER", "66.67", "-"] in lines
    assert ["V+A", "EA", "-", "100.00"] in lines


def test_the_same_as_json(deixis: Run, files: tuple[Path, Path]) -> None:
    options = ("--task", "muie", "--tables", "--rounds", 20, "--json")
    code, printed, _ = deixis("eval", *files, *options)
    found = json.loads(printed)
    assert code == 0
    first = found["tables"][0]
    assert (first["table"], first["inputs"], first["dataset"], first["rows"]) == (
        2,
        "T+I",
        "Twt17",
        2,
    )
    assert first["measures"]["NER"]["value"] == 0.5
    assert first["measures"]["NER"]["reamo"] == pytest.approx(0.474)
    assert "table" not in found["tables"][-1] and found["tables"][-1]["dataset"] == "News"
    parts = [(each["inputs"], each["part"], each["rows"]) for each in found["figure_3"]]
    assert ("T+I", "specific", 1) in parts and ("V+A", "shared", 1) in parts
    assert {each["part"] for each in found["figure_4"]} == {"1", "2"}


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("dataset", ["News", "Twt17", "VidSitu-Aud", "twitter2017"]),
        ("input", ["T+I", "V+A"]),
        ("aligned", ["shared", "specific", "unknown"]),
    ],
)
def test_rows_are_broken_down_by_what_they_say_of_themselves(
    deixis: Run, files: tuple[Path, Path], by: str, names: list[str]
) -> None:
    options = ("--task", "muie", "--by", by, "--rounds", 20, "--json")
    code, printed, _ = deixis("eval", *files, *options)
    parts = json.loads(printed)["parts"]
    assert code == 0 and list(parts) == names
    if by == "aligned":
        assert parts["specific"]["entities_f1"]["value"] == 0.0
        assert parts["shared"]["entities_f1"]["value"] == 1.0


def test_answers_alone_have_tables_without_places(
    deixis: Run, files: tuple[Path, Path], tmp_path: Path
) -> None:
    told = written(tmp_path / "answers.jsonl", [{"id": "1", "answer": "(Ann<concept>, PER)"}])
    options = ("--task", "muie", "--format", "muie", "--tables", "--rounds", 20, "--json")
    code, printed, said = deixis("eval", files[0], told, *options)
    found = json.loads(printed)
    assert code == 0 and "3 samples have no predictions" in said
    assert list(found["tables"][0]["measures"]) == ["NER"]
    assert found["missing"] == ["2", "3", "4"]


@pytest.mark.parametrize(
    "options", [("gmner",), ("muie", "--by", "type"), ("muie", "--by", "dataset")]
)
def test_tables_are_of_muie_whole(
    deixis: Run, files: tuple[Path, Path], options: tuple[str, ...]
) -> None:
    code, printed, said = deixis("eval", *files, "--task", *options, "--tables")
    assert (code, printed) == (2, "") and "--tables is for one file of --task muie" in said


def test_what_rows_of_muie_say_is_not_known_of_others(
    deixis: Run, files: tuple[Path, Path]
) -> None:
    code, _, said = deixis("eval", *files, "--task", "gmner", "--by", "dataset")
    assert code == 2 and "there is no breakdown 'dataset'; known: type, groundable, enti" in said


def test_errors_are_counted(deixis: Run, files: tuple[Path, Path]) -> None:
    code, printed, _ = deixis("eval", *files, "--task", "muie", "--rounds", 20)
    assert code == 0
    assert "errors: repetition 0, incomplete 1, wrong match 0, missing grounding 0" in printed
    assert "rows with errors" not in printed
    code, printed, _ = deixis("eval", *files, "--task", "muie", "--rounds", 20, "--json")
    assert json.loads(printed)["rows_with_errors"] == {"2": {"incomplete": 1}}


def spoken(id_: str, end: float) -> dict[str, Any]:
    """Return a line of a batch run: what an extraction of sound is."""
    entity = {
        "id": "e1",
        "text": "<b>Ann",
        "start": None,
        "end": None,
        "type": "PER",
        "confidence": 0.5,
        "groundable": True,
        "spans": [{"start": 0.0, "end": end, "score": 0.5, "source": "x"}],
    }
    sound = {"sha256": "", "seconds": 9.0, "rate": 8000, "channels": 1, "source": "a.wav"}
    whole = {"text": "", "image": None, "audio": sound, "entities": [entity]}
    row = {"id": id_, "settings": "s", "task": ["ner", "re"], "dataset": "ACE05", "aligned": True}
    return {**row, **whole, "usage": [], "warnings": []}


def test_two_runs_of_sound_are_compared_on_a_page(deixis: Run, tmp_path: Path) -> None:
    one, two = (written(tmp_path / f"{end}.jsonl", [spoken("1", end)]) for end in (4.0, 1.0))
    gold = {"id": "1", "task": "ner", "audio": "a.wav", "dataset": "ACE05-Aud", "aligned": True}
    heard = {"text": "<b>ANN", "type": "PER", "spans": [[0, 4]]}
    wanted = written(tmp_path / "gold.jsonl", [{**gold, "entities": [heard]}])
    page = tmp_path / "page.html"
    options = ("--task", "muie", "--rounds", 20, "--html", page, "--json")
    code, printed, _ = deixis("compare", wanted, one, two, *options)
    found = json.loads(printed)
    assert code == 0 and found["difference"]["mean_iou_audio"]["value"] == -0.75
    (difference,) = found["disagreements"][0]["mentions"]
    assert difference["kinds"] == {"region": 0.75}
    assert "&lt;b&gt;Ann" in page.read_text() and "<b>Ann" not in page.read_text()
    code, printed, _ = deixis("eval", wanted, one, "--task", "muie", "--tables", "--rounds", 20)
    lines = [line.split() for line in printed.splitlines()]
    assert code == 0
    assert ["A", "ACE05-Aud", "NER", "1", "100.00", "100.0-100.0", "17.4"] in lines
    assert ["A", "ACE05-Aud", "A-Seg", "1", "100.00", "100.0-100.0", "16.7"] in lines


def test_several_runs_are_averaged(deixis: Run, tmp_path: Path, files: tuple[Path, Path]) -> None:
    options = ("--task", "muie", "--by", "input", "--json")
    code, printed, _ = deixis("eval", files[0], files[0], files[1], *options)
    found = json.loads(printed)
    assert code == 0 and found["all"]["entities_f1"]["runs"] == [1.0, pytest.approx(2 / 3)]
    assert found["parts"]["V+A"]["mean_iou_audio"]["mean"] == 0.75
