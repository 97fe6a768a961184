"""The input of a batch run: every wrong row is told with its line, before anything runs."""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from deixis.batch.input import Problem, Rows, Task
from deixis.errors import InputError

Made = Callable[..., Rows]
GOOD = {"id": "a", "text": "Grace Hopper"}


def row(**changed: Any) -> bytes:
    return json.dumps({**GOOD, **changed}).encode()


WRONG = {
    # no JSON
    "cut off": b'{"id": "a", "text": "Grace',
    "no quotes": b"{id: a, text: b}",
    "single quotes": b"{'id': 'a', 'text': 'b'}",
    "a comma too many": b'{"id": "a", "text": "b",}',
    "a comma too few": b'{"id": "a" "text": "b"}',
    "two rows on a line": row() + row(id="b"),
    "plain text": b"Grace Hopper of the US Navy",
    "a comment": b"// rows",
    "CSV": b"id,text,image",
    "not UTF-8": b'{"id": "a", "text": "caf\xe9"}',
    "UTF-16": json.dumps(GOOD).encode("utf-16-le"),
    "a raw tab in a string": b'{"id": "a", "text": "b\tc"}',
    "a raw NUL": b'{"id": "a", "text": "b\0"}',
    "a wrong escape": b'{"id": "a", "text": "\\x41"}',
    "NaN": b'{"id": "a", "text": "b", "score": NaN}',
    "infinity": b'{"id": "a", "text": "b", "score": -Infinity}',
    "a huge number": b'{"id": "a", "text": "b", "n": ' + b"9" * 5000 + b"}",
    "nested too deeply": b"[" * 100_000,
    "a key twice": b'{"id": "a", "id": "b", "text": "c"}',
    "half a surrogate as a key, twice": b'{"\\ud800": 1, "\\ud800": 2}',
    "only a brace": b"{",
    # no object
    "a list": b'["a", "Grace Hopper"]',
    "a string": b'"Grace Hopper"',
    "a number": b"7",
    "null": b"null",
    "true": b"true",
    "a list of rows": b"[" + row() + b"]",
    # ids
    "no id": b'{"text": "Grace Hopper"}',
    "id null": row(id=None),
    "id a fraction": row(id=7.0),
    "id true": row(id=True),
    "id a list": row(id=["a"]),
    "id an object": row(id={"a": 1}),
    "id empty": row(id=""),
    "id blank": row(id=" \t"),
    "id with NUL": row(id="a\0"),
    "id with half a surrogate": row(id="\ud800"),
    # texts
    "nothing": b"{}",
    "no text": b'{"id": "a"}',
    "text null": row(text=None),
    "text a number": row(text=5),
    "text a list": row(text=["Grace", "Hopper"]),
    "text empty": row(text=""),
    "text blank": row(text=" \n "),
    "text too long": row(text="x" * 1001),
    "text with NUL": row(text="a\0b"),
    "text with half a surrogate": row(text="a\ud83d"),
    # images
    "image a number": row(image=1),
    "image false": row(image=False),
    "image a list": row(image=["photo.jpg"]),
    "image an object": row(image={"source": "photo.jpg"}),
    "image empty": row(image=""),
    "image not there": row(image="missing.jpg"),
    "image a sloppy URL": row(image="http:/me:S3CRET@host/a.png"),
    "image absolute and not there": row(image="/nowhere/missing.jpg"),
    "image a folder": row(image="."),
    "image with NUL": row(image="photo\0.jpg"),
    "image with half a surrogate": row(image="\ud800.jpg"),
    "image with a name too long": row(image="x" * 5000),
}


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Made]:
    """Write lines to a file and scan it."""
    opened: list[Rows] = []

    def make(*lines: bytes, shuffle_seed: int | None = None, limit: int | None = None) -> Rows:
        path = tmp_path / "in.jsonl"
        path.write_bytes(b"\n".join(lines))
        found = Rows(path, 1000)
        opened.append(found)
        found.scan(shuffle_seed, limit)
        return found

    yield make
    for each in opened:
        each.close()


def test_wrong_rows_are_told_by_line_and_the_others_are_there(rows: Made) -> None:
    lines = [line for wrong in WRONG.values() for line in (wrong, b"")]
    found = rows(row(id="first"), *lines, row(id="last"))
    problems = list(found.problems())
    assert len(WRONG) >= 50
    assert [each.line for each in problems] == list(range(2, 2 * len(WRONG) + 2, 2))
    assert [each.id for each in found] == ["first", "last"]
    for each, kind in zip(problems, WRONG, strict=True):
        assert each.error.isprintable() and 10 < len(each.error) < 400, kind
        each.error.encode()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("cut off", "not JSON"),
        ("not UTF-8", "not UTF-8 .* byte 24"),
        ("a key twice", "'id' stands twice"),
        ("id a fraction", "id must be a string or a whole number; got a number"),
        ("a list of rows", r"jq -c '\.\[\]'"),
        ("single quotes", "double quotes"),
        ("UTF-16", "iconv"),
        ("no text", "text must be a string"),
        ("text too long", "1,001 characters"),
        ("image not there", r"'missing.jpg' is not there"),
        ("image a sloppy URL", r"'http:/\*\*\*@host/a.png' is not there"),
        ("image a folder", "is no file"),
        ("image an object", "image must be a path, a URL or null; got an object"),
    ],
)
def test_what_is_said(rows: Made, kind: str, said: str) -> None:
    (problem,) = rows(WRONG[kind]).problems()
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(problem.error)


def test_an_id_that_stands_twice_is_run_once(rows: Made) -> None:
    found = rows(row(), row(id="b"), row(text="Another"), row())
    assert [(each.line, each.id) for each in found.problems()] == [(3, "a"), (4, "a")]
    assert all("line 1" in each.error for each in found.problems())
    assert [(each.id, each.text) for each in found] == [("a", GOOD["text"]), ("b", GOOD["text"])]


def test_images_are_relative_to_the_file(rows: Made, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"x")
    url = "https://example.org/photo.jpg"
    images = ["photo.jpg", str(tmp_path / "photo.jpg"), url, None]
    found = rows(*(row(id=str(n), image=each) for n, each in enumerate(images)))
    there = str(tmp_path / "photo.jpg")
    assert [each.image for each in found] == [there, there, url, None]


def test_a_mark_crlf_and_other_keys_do_no_harm(rows: Made) -> None:
    found = rows(b"\xef\xbb\xbf" + row(entities=[{"text": "x"}]) + b"\r", b"\r", row(id="b"), b"")
    assert list(found.problems()) == []
    assert [(each.line, each.id) for each in found] == [(1, "a"), (3, "b")]


def test_ids_may_be_whole_numbers(rows: Made) -> None:
    found = rows(row(id=1), row(id="1"), row(id=2))
    assert [each.id for each in found] == ["1", "2"]
    assert [(each.line, each.id) for each in found.problems()] == [(2, "1")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_ends_of_lines_and_packing_do_no_harm(tmp_path: Path, end: bytes, pack: Any) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(pack(b"\xef\xbb\xbf" + end.join([row(), b"", b"{", row(id="b"), b""])))
    with closing(Rows(path, 1000)) as found:
        found.scan()
        assert [(each.line, each.id) for each in found] == [(1, "a"), (4, "b")]
        assert [each.line for each in found.problems()] == [3]


def test_order_limit_and_what_is_dropped(rows: Made) -> None:
    lines = [row(id=f"é{n}") for n in range(1200)]
    plain = [each.id for each in rows(*lines)]
    shuffled = [each.id for each in rows(*lines, shuffle_seed=1)]
    assert plain == [f"é{n}" for n in range(1200)]
    assert sorted(shuffled) == sorted(plain) and shuffled != plain
    assert [each.id for each in rows(*lines, shuffle_seed=1, limit=700)] == shuffled[:700]
    assert [each.id for each in rows(*lines, shuffle_seed=2)] != shuffled
    found = rows(*lines, limit=3)
    assert found.finish("no such row") is None
    for name in ("é1", "é900"):
        done = found.finish(name)
        assert isinstance(done, Task) and done.id == name
    with pytest.raises(KeyError):
        found.finish("é1")
    assert len(found) == 2 and [each.id for each in found] == ["é0", "é2"]
    found.again("é1")
    assert len(found) == 3 and [each.id for each in found] == ["é0", "é1", "é2"]
    wrong = rows(row(), row(id="b", text="")).finish("b")
    assert isinstance(wrong, Problem) and wrong.line == 2


def test_a_file_that_changes_is_told(rows: Made) -> None:
    found = rows(row(), row(id="b"), row(id="c"))
    data = found.path.read_bytes()
    found.path.write_bytes(data.replace(b'"b"', b'"x"').replace(b'{"id": "c"', b'["id"; "c"'))
    first, *changed = found
    assert isinstance(first, Task) and first.id == "a"
    assert all(isinstance(each, Problem) and "changed" in each.error for each in changed)
    assert [(each.line, each.id) for each in changed] == [(2, "b"), (3, "c")]


def test_what_is_no_file(tmp_path: Path) -> None:
    for path, said in ((tmp_path, "it is a folder"), (tmp_path / "none", "No such file")):
        with pytest.raises(InputError, match=said):
            Rows(path, 1000)
