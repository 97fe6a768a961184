"""``deixis export`` and ``deixis import``: what they refuse, what they leave out, what they say."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., tuple[int, str, str]]

FORM = '''
"""A form of one's own: a line for each item, which says its id and its text."""

from deixis.base.text_files import lines_of, write_lines
from deixis.exchange.items import Exporter, Importer, Written
from deixis.rows import Problem


def write(items, out, how):
    count = write_lines(out, (f"{how.model}|{item.id}|{item.row.text}" for item in items))
    return Written([out], {"lines": count}, ["pictures"])


def read(path, how):
    for number, line in lines_of(path):
        _, id_, text = line.split("|")
        if text == "?":
            yield Problem(number, id_, "it is a question")
        else:
            text = text.replace("HALF", "\\ud800")
            yield {"id": id_, "text": text, "image": f"pictures/{id_}.jpg", "entities": []}


EXPORTER = Exporter("lines", "a line each", write, options=("model",))
IMPORTER = Importer("lines", "a line each", read)
WITH_ROWS = IMPORTER._replace(options=("rows",))
'''
ROWS = [
    {"id": "1", "text": "Grace Hopper", "image": None, "entities": []},
    {"id": "2", "text": "Eileen Collins", "image": None, "entities": []},
]


@pytest.fixture(autouse=True)
def own_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("own_lines.py").write_text(FORM)
    Path("rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))


OWN = ("--to", "own_lines:EXPORTER", "--model", "m")


def test_a_form_of_ones_own(deixis: Run) -> None:
    code, printed, said = deixis("export", "rows.jsonl", *OWN, "--out", "out.txt")
    assert code == 0 and printed == "       2  lines\nwrote out.txt\n"
    assert said == "warning no place for pictures\n"
    assert Path("out.txt").read_text() == "m|1|Grace Hopper\nm|2|Eileen Collins\n"
    command = ("import", "own_lines:IMPORTER", "out.txt", "--out", "gold/gold.jsonl")
    assert deixis(*command) == (0, "wrote 2 rows to gold/gold.jsonl\n", "")
    first, _ = map(json.loads, Path("gold/gold.jsonl").read_text().splitlines())
    assert first == {
        "id": "1",
        "text": "Grace Hopper",
        "image": "pictures/1.jpg",
        "entities": [],
    }


def test_paths_are_relative_to_the_gold(deixis: Run) -> None:
    Path("in.txt").write_text("m|1|a\n")
    command = ("import", "own_lines:WITH_ROWS", "in.txt", "--rows", "rows.jsonl")
    assert deixis(*command, "--out", "gold/gold.jsonl")[0] == 0
    assert json.loads(Path("gold/gold.jsonl").read_text())["image"] == "../pictures/1.jpg"


def test_one_json_document(deixis: Run) -> None:
    code, printed, _ = deixis("export", "rows.jsonl", *OWN, "--out", "out.txt", "--json")
    assert code == 0 and json.loads(printed) == {
        "form": "lines",
        "files": ["out.txt"],
        "counts": {"lines": 2},
        "left_out": ["pictures"],
        "problems": 0,
        "first_problems": [],
    }
    command = ("import", "own_lines:IMPORTER", "out.txt", "--out", "gold.jsonl", "--json")
    code, printed, _ = deixis(*command)
    assert code == 0 and json.loads(printed)["rows"] == 2


def test_streams(deixis: Run) -> None:
    rows = Path("rows.jsonl").read_text()
    code, printed, said = deixis("export", "-", *OWN, "--out", "-", typed=rows)
    assert code == 0 and printed == "m|1|Grace Hopper\nm|2|Eileen Collins\n"
    assert "2  lines" in said and "wrote -" in said
    code, gold, said = deixis("import", "own_lines:IMPORTER", "-", "--out", "-", typed=printed)
    assert code == 0 and [json.loads(line)["id"] for line in gold.splitlines()] == ["1", "2"]
    assert said == "wrote 2 rows to -\n" and not Path("-").exists()


def test_bad_lines_are_told_and_the_others_written(deixis: Run) -> None:
    with Path("rows.jsonl").open("a") as file:
        file.write('{"id": "1", "text": "again", "entities": []}\n[1]\n{"id": 3, "text": \n')
        file.write('{"id": "4", "text": "a", "replies": [], "entities": [{"id": "e1"}]}\n' * 50)
        file.write(
            '{"id": "5", "text": "a", "relations": [{"subject": 0, "type": "r", "object": 1}]}\n'
        )
        file.write('{"id": "6", "line": 2, "error": "no picture"}\n')
    code, printed, said = deixis("export", "rows.jsonl", *OWN, "--out", "out.txt", "--json")
    assert code == 1 and len(Path("out.txt").read_text().splitlines()) == 2
    document = json.loads(printed)
    assert document["problems"] == 55 and len(document["first_problems"]) == 50
    assert "warning rows.jsonl:3: '1': the id '1' stands on line 1 too, which counts\n" in said
    assert "rows.jsonl:4: a list is no row" in said and "rows.jsonl:5: not JSON" in said
    assert said.endswith("55 lines are left out; 50 are shown\n")


def test_rows_that_cannot_be_gold(deixis: Run) -> None:
    Path("in.txt").write_text("m|1|a\nm|2|?\nm|1|b\nm||c\nm|4|HALF\nm|3|d\n")
    code, _, said = deixis("import", "own_lines:IMPORTER", "in.txt", "--out", "gold.jsonl")
    written = map(json.loads, Path("gold.jsonl").read_text().splitlines())
    assert code == 1 and [row["id"] for row in written] == ["1", "3"]
    first, second, third, fourth = said.splitlines()
    assert first == "warning in.txt:2: '2': it is a question"
    assert "'1': another row of this id" in second and "id: String should have" in third
    assert "half a surrogate pair" in fourth


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ((*OWN, "--base", "urn:x:"), "lines does not heed --base; it heeds --model"),
        (("--to", "own_lines:IMPORTER"), "is no deixis.exchange.items.Exporter"),
        (("--to", "own_lines:NOTHING"), "cannot be loaded: AttributeError"),
        (("--to", "nowhere"), "nothing is exported to 'nowhere'"),
    ],
)
def test_what_is_refused(deixis: Run, arguments: tuple[str, ...], part: str) -> None:
    code, printed, said = deixis("export", "rows.jsonl", *arguments, "--out", "out.txt")
    assert (code, printed) == (2, "") and said.startswith("Error: ") and part in said
    assert not Path("out.txt").exists()


def test_nothing_is_written_over_what_is_read(deixis: Run) -> None:
    before = Path("rows.jsonl").read_bytes()
    code, _, said = deixis("export", "rows.jsonl", *OWN, "--out", "rows.jsonl")
    assert code == 2 and "is the file that is read" in said
    code, _, said = deixis("export", "rows.jsonl", "--to", "csv", "--out", ".")
    assert code == 2 and "lies in ." in said and not Path("posts.csv").exists()
    code, _, said = deixis("import", "own_lines:IMPORTER", "rows.jsonl", "--out", "rows.jsonl")
    assert code == 2 and "is read as well" in said
    assert Path("rows.jsonl").read_bytes() == before


def test_rows_are_heeded_or_refused(deixis: Run) -> None:
    command = ("import", "own_lines:IMPORTER", "in.txt", "--rows", "rows.jsonl", "--out", "g.jsonl")
    code, _, said = deixis(*command)
    assert code == 2 and "lines does not heed --rows; it heeds no option of this kind" in said
    Path("in.txt").write_text("m|1|a\n")
    command = ("import", "own_lines:WITH_ROWS", "in.txt", "--out", "g.jsonl", "--rows")
    code, _, said = deixis(*command, "nowhere.jsonl")
    assert code == 2 and "cannot read nowhere.jsonl" in said and not Path("g.jsonl").exists()
    assert deixis(*command, "rows.jsonl")[0] == 0


def test_what_is_missing_or_no_text(deixis: Run) -> None:
    code, _, said = deixis("export", "nowhere.jsonl", *OWN, "--out", "out.txt")
    assert code == 2 and "nowhere.jsonl" in said
    Path("rows.jsonl").write_bytes(b"\xff\xfe\x00")
    code, _, said = deixis("export", "rows.jsonl", *OWN, "--out", "out.txt")
    assert code == 2 and "UTF-16" in said and not Path("out.txt").exists()


def test_json_and_the_file_do_not_share_stdout(deixis: Run) -> None:
    code, printed, said = deixis("export", "rows.jsonl", *OWN, "--out", "-", "--json")
    assert (code, printed) == (2, "") and "--json" in said


def test_a_package_brings_a_form(deixis: Run, tmp_path: Path) -> None:
    info = tmp_path / "own_lines-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own-lines\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[deixis.exchange]\nlines = own_lines\n")
    arguments: tuple[Any, ...] = ("export", "rows.jsonl", "--to", "lines", "--out", "out.txt")
    assert deixis(*arguments)[0] == 0 and Path("out.txt").is_file()
    assert deixis("import", "lines", "out.txt", "--out", "gold.jsonl")[0] == 0
