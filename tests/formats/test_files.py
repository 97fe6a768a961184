import json
from pathlib import Path

import pytest

from deixis.errors import DataError, InputError, SettingsError
from deixis.formats import files, pfa
from deixis.rows import Row, RowEntity, RowRegion

DEV = Path(__file__).parents[2].parent / "shared" / "data" / "reference" / "gmner_dev"

ANN = RowEntity(text="Ann", type="PER", regions=(RowRegion(box=(10, 20, 30, 40)),))
ACME = RowEntity(text="Acme", type="ORG", regions=())
GOLD = [
    Row(id="1", text="Ann of Acme", image="1.jpg", size=(100, 200), entities=(ANN, ACME)),
    Row(id="2", text="nothing", image="2.jpg"),
]


def held(name: str) -> list[Row]:
    """Return rows that a format can hold."""
    if name == "pfa":
        bare = tuple(e.model_copy(update={"regions": None}) for e in GOLD[0].entities)
    elif name == "muie":
        bare = (ANN.model_copy(update={"regions": None}), ACME)
    else:
        bare = GOLD[0].entities
    return [GOLD[0].model_copy(update={"entities": bare}), GOLD[1]]


@pytest.mark.parametrize("name", files.FORMATS)
def test_rows_come_back_as_they_were(name: str, tmp_path: Path) -> None:
    rows = held(name)
    assert files.write(tmp_path / "out.jsonl", name, rows) == 2
    read = files.read(tmp_path / "out.jsonl", name, GOLD)
    assert read.rows == rows
    assert read.problems == {}
    assert read.missing == ()


def test_shares_of_the_picture(tmp_path: Path) -> None:
    files.write(tmp_path / "out.jsonl", "vkel", GOLD)
    first = json.loads((tmp_path / "out.jsonl").read_text().split("\n")[0])
    assert first["output"].startswith(
        "Ann is a(an) PER, whose bounding boxes are (0.1, 0.1, 0.3, 0.2); Acme"
    )
    unknown = [GOLD[0].model_copy(update={"size": None})]
    with pytest.raises(DataError, match=r"row '1': .*size"):
        files.write(tmp_path / "no.jsonl", "vkel", unknown)
    assert not (tmp_path / "no.jsonl").exists()
    (tmp_path / "one.jsonl").write_text(json.dumps(first))
    read = files.read(tmp_path / "one.jsonl", "vkel", unknown)
    assert [entity.regions for entity in read.rows[0].entities] == [None, ()]
    assert read.counts["pieces that could not be read"] == 1


def test_resized_pictures(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text('{"id": "1", "answer": "Ann|PER|[5,10,15,20]", "resized": [50, 100]}\n')
    (row,) = files.read(path, "e2e", GOLD).rows
    assert row.entities == (ANN,)
    path.write_text('{"id": 2, "answer": "Ann|PER|[5,10,15,20]", "resized": [50, 100]}\n')
    read = files.read(path, "e2e", GOLD)
    assert read.rows[0].entities[0].regions is None
    assert read.missing == ("1",)
    for bad in ("7", "[0, 1]", '["a", 2]', "[1]", "[1e400, 1]", "[true, 1]"):
        path.write_text(f'{{"id": "1", "answer": "", "resized": {bad}}}')
        with pytest.raises(DataError, match=r"out.jsonl:1: 'resized'"):
            files.read(path, "e2e", GOLD)


@pytest.mark.parametrize(
    "content",
    [
        "Ann|PER|[10,20,30,40]; Acme|ORG|None\nNone\n",
        "Ann|PER|[10,20,30,40]; Acme|ORG|None\r\n\r\n",
        '\ufeff"Ann|PER|[10,20,30,40]\\nAcme|ORG|None"\n"None"\n',
        '{"predict": "Ann|PER|[10,20,30,40]; Acme|ORG|None"}\n\n{"predict": ""}',
        '["Ann|PER|[10,20,30,40]; Acme|ORG|None", {"output": "None"}]',
        '[{"id": 2, "answer": "None"}, {"id": 1, "answer": "Ann|PER|[10,20,30,40];Acme|ORG|None"}]',
    ],
)
def test_layouts(content: str, tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(content.encode())
    read = files.read(tmp_path / "out", "e2e", GOLD)
    assert read.rows == GOLD
    assert read.counts == {
        "answers": 2,
        "entities": 2,
        "answers with pieces that could not be read": 0,
        "pieces that could not be read": 0,
        "gold rows without an answer": 0,
    }


def test_lines_that_name_their_picture(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text(
        "Imageid:1.jpg#0###Ann (PER)###Ann (PER)-a woman###2###&[10, 20, 30, 40]\n"
        "Imageid:1.jpg#1###Acme (ORG)###Acme (ORG)-a company###0\n"
    )
    read = files.read(path, "riveg", GOLD)
    assert read.rows == GOLD[:1]
    assert read.missing == ("2",)


def test_hexadecimal_ids_and_lines_that_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text(
        "Imageid:1.jpg#6aac###Ann(PER)###Ann(PER)-a woman###2\n"
        "who sings.\n"
        "Imageid:1.jpg#0f25###Acme(ORG)###Acme(ORG)-a company###0\n"
    )
    read = files.read(path, "riveg", GOLD)
    assert [(e.text, e.regions) for e in read.rows[0].entities] == [("Ann", None), ("Acme", ())]
    (problem,) = read.problems[f"{path}:2"]
    assert problem.piece == "who sings."
    assert read.counts["pieces that could not be read"] == 1
    with pytest.raises(DataError, match=r"lines.txt:2: .*'who sings.'"):
        files.read_answers(path, "riveg", GOLD)


def test_answers_that_are_numbered_as_those_of_vkel(tmp_path: Path) -> None:
    path = tmp_path / "stage1.json"
    record = {
        "question_id": "0" * 31 + "1",
        "prompt": "<image>\ngiven a list of types",
        "output": "h&amp ; m is a(an) organization; ann is a(an) person.",
        "golden_answers": ["no entity found."],
        "answer_id": "8GQ",
        "model_id": "llava",
    }
    other = {**record, "question_id": "0" * 32, "output": "no entity found."}
    path.write_text(f"{json.dumps(record)}\n{json.dumps(other)}\n")
    read = files.read(path, "vkel", GOLD)
    assert [row.id for row in read.rows] == ["1", "2"]
    assert [[e.text for e in row.entities] for row in read.rows] == [[], ["h&amp ; m", "ann"]]
    path.write_text(json.dumps(record))
    assert files.read(path, "vkel", GOLD).missing == ("1",)
    path.write_text(json.dumps({**record, "question_id": "0" * 31 + "a"}))
    with pytest.raises(DataError, match=r"stage1.json:1: its question_id is that of row 11, of 2"):
        files.read(path, "vkel", GOLD)


def test_answers_of_e2e_and_the_size_of_their_pictures(tmp_path: Path) -> None:
    """They have no ids; another size says that the order is another."""
    answer = {"response_answer_orig": "Ann|PER|[10,20,30,40]; Acme|ORG|None"}
    lines = [{**answer, "orig_size": [100, 200]}, {"response_answer_orig": "None"}]
    path = tmp_path / "dev_pred_epoch1.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    read = files.read(path, "e2e", GOLD)
    assert (read.rows, read.problems) == (GOLD, {})
    path.write_text("".join(f"{json.dumps(line)}\n" for line in reversed(lines)))
    assert files.read(path, "e2e", GOLD).problems == {}
    rows = [GOLD[0], GOLD[1].model_copy(update={"size": (5, 5)})]
    ((place, (problem,)),) = files.read(path, "e2e", rows).problems.items()
    assert (place, problem.piece) == (f"{path}:2", "orig_size [100, 200]")
    assert "row '2' has a picture of another size, (5, 5)" in problem.reason


def test_answers_as_they_stand(tmp_path: Path) -> None:
    text = "Task 1 Answer: A stage.\nTask 2 Answer: NER: :PER; Ann"
    (tmp_path / "out").write_text(json.dumps([{"id": "2", "answer": text}]))
    (answer,) = files.read_answers(tmp_path / "out", "pfa", GOLD)
    assert answer == (GOLD[1], text, (1, 1))
    assert pfa.parse_answer(answer.text).summary == "A stage."


def test_what_could_not_be_read_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("AT&amp;T|ORG|None; Ann|PER|x\nhello\n")
    read = files.read(path, "e2e", GOLD)
    assert [len(row.entities) for row in read.rows] == [2, 0]
    assert {name: len(found) for name, found in read.problems.items()} == {"1": 2, "2": 1}
    assert read.counts["pieces that could not be read"] == 3
    assert read.counts["answers with pieces that could not be read"] == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("None\n", "1 answers without ids for 2 gold rows"),
        ("None\nNone\nNone\n", "3 answers without ids"),
        ('{"id": "9", "answer": ""}', "out:1: there is no gold row"),
        ('{"id": "1", "answer": ""}\n{"id": "1", "answer": ""}', "out:2: the id '1' stands twice"),
        ('{"id": "1", "answer": ""}\n{"answer": ""}', "out:2: an answer without an id"),
        ('{"id": "1", "answer": ""}\nAnn', "out:2: not JSON"),
        ('{"id": "1", "text": "x"}', "out:1: no text under any of answer"),
        ('{"id": "1", "answer": null}', "out:1: no text under"),
        ("[1, 2]", "out: item 1: no text under"),
    ],
)
def test_files_that_cannot_be_read(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "out").write_text(content)
    with pytest.raises(DataError, match=message):
        files.read(tmp_path / "out", "e2e", GOLD)


def test_an_empty_file_has_no_answers(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    assert files.read(tmp_path / "out", "e2e", GOLD).missing == ("1", "2")


def test_bytes_paths_and_names(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"\xff")
    with pytest.raises(DataError, match="not UTF-8"):
        files.read(tmp_path / "out", "e2e", GOLD)
    with pytest.raises(InputError, match="cannot read"):
        files.read(tmp_path / "none", "e2e", GOLD)
    with pytest.raises(SettingsError, match="vkel, e2e, pfa, riveg, muie"):
        files.read(tmp_path / "out", "xml", GOLD)
    with pytest.raises(SettingsError, match="no format"):
        files.write(tmp_path / "out", "xml", GOLD)
    with pytest.raises(InputError, match="cannot write"):
        files.write(tmp_path / "out" / "below", "e2e", GOLD)


def test_a_row_that_cannot_be_written(tmp_path: Path) -> None:
    odd = RowEntity(text="Fox &amp ; Fin", type="ORG", regions=())
    with pytest.raises(DataError, match=r"row '3': .*Fox"):
        files.write(tmp_path / "out", "e2e", [*GOLD, Row(id="3", entities=(odd,))])
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(
    not DEV.is_dir(), reason="the reference predictions are not beside the checkout"
)
@pytest.mark.parametrize("name", ["e2e", "riveg", "vkel"])
def test_the_dev_split_comes_back(name: str, tmp_path: Path) -> None:
    lines = (DEV / "gold.jsonl").read_text(encoding="utf-8").rstrip("\n").split("\n")
    rows = [
        Row(
            id=record["id"],
            size=record["size"],
            entities=tuple(
                RowEntity(
                    text=entity["text"],
                    type=entity["type"],
                    regions=tuple(RowRegion(box=box) for box in entity["boxes"] or ()),
                )
                for entity in record["entities"]
            ),
        )
        for record in map(json.loads, lines)
    ]
    assert files.write(tmp_path / "out", name, rows) == 1500
    read = files.read(tmp_path / "out", name, rows)
    assert read.problems == {}
    for row, again in zip(rows, read.rows, strict=True):
        assert [(e.text, e.type) for e in again.entities] == [
            (e.text, e.type) for e in row.entities
        ]
        for one, other in zip(row.entities, again.entities, strict=True):
            boxes = [region.box for region in other.regions or ()]
            assert boxes == [pytest.approx(region.box) for region in one.regions or ()]
