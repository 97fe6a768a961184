"""The output of a batch run: whole lines, one writer, one set of settings."""

import codecs
import json
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from deixis.batch.output import Finished, Output, check_place, line_of
from deixis.errors import DataError, DeixisError, InputError, SettingsError


def opened(path: Path, **identity: str) -> Output[Finished]:
    settings = "s1" if not identity else "s2"
    return Output(path, {"deixis": "1", **identity}, settings, Finished.model_validate_json)


def record(id_: str) -> dict[str, Any]:
    text = "caf\N{LATIN SMALL LETTER E WITH ACUTE}"
    return {"id": id_, "settings": "s1", "text": text, "image": None, "entities": []}


def found(output: Output[Finished]) -> list[str]:
    return [row.id for _, row in output.finished()]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An output with three rows."""
    path = tmp_path / "folder" / "out.jsonl"
    with closing(opened(path)) as output:
        assert found(output) == []
        for name in "abc":
            output.add(line_of(record(name)))
        output.fail("d", 4, "no such picture")
        output.fail(None, 5, "not JSON")
    return path


def ids(path: Path) -> Iterator[str]:
    return (json.loads(line)["id"] for line in path.read_text().splitlines())


def test_what_is_written_is_found_again(out: Path) -> None:
    assert list(ids(out)) == ["a", "b", "c"]
    failures = out.parent / "out.failures.jsonl"
    assert [json.loads(line) for line in failures.read_text().splitlines()] == [
        {"id": "d", "line": 4, "error": "no such picture", "settings": "s1"},
        {"id": None, "line": 5, "error": "not JSON", "settings": "s1"},
    ]
    with closing(opened(out)) as output:
        assert found(output) == ["a", "b", "c"]
    assert failures.read_bytes() == b"", "they are tried again"
    assert json.loads((out.parent / "out.settings.json").read_text()) == {"deixis": "1"}


def test_half_a_line_is_cut_off_wherever_it_ends(out: Path) -> None:
    whole = out.read_bytes()
    for kept in range(len(whole)):
        out.write_bytes(whole[:kept])
        with closing(opened(out)) as output:
            done = found(output)
            assert done == ["a", "b", "c"][: whole[:kept].count(b"\n")]
            for name in "abc"[len(done) :]:
                output.add(line_of(record(name)))
        assert out.read_bytes() == whole


def test_rows_are_taken_out_and_others_added(out: Path) -> None:
    with closing(opened(out)) as output:
        rows = {row.id: place for place, row in output.finished()}
        output.take_out([rows["a"], rows["c"]])
        output.add(line_of(record("d")))
    assert list(ids(out)) == ["b", "d"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"entities": None}, "entities"),
        ({"text": 5}, "text: "),
        ({"entities": [{"text": "x"}]}, r"entities\.0\."),
        ({"image": {"sha256": "0"}}, r"image\.width"),
        ({"more": 1}, "more: "),
    ],
)
def test_a_damaged_row_is_told_with_its_line(out: Path, change: Any, said: str) -> None:
    before = line_of(record("a")) + line_of({**record("b"), **change}) + line_of(record("c"))
    out.write_bytes(before)
    match = rf"out\.jsonl:2: this row is damaged \({said}.*delete the line"
    with closing(opened(out)) as output, pytest.raises(DataError, match=match):
        found(output)
    assert out.read_bytes() == before
    out.write_bytes(line_of({"id": "a", "settings": "s1"}))
    with closing(opened(out)) as output, pytest.raises(DataError, match="text: Field required"):
        found(output)
    out.write_bytes(line_of({"id": "a", "settings": "s0"}))
    with closing(opened(out)) as output, pytest.raises(SettingsError, match="other settings"):
        found(output)


@pytest.mark.parametrize(
    "content",
    [
        b"my notes",
        b"my notes\n",
        b"[1]\n",
        b'{"id": "a"}\n',
        b'{"id": 1, "settings": "s1"}\n',
        b'{"id": "a", "settings": null}\n',
        line_of({"id": "a", "settings": "s1", "text": "", "image": None, "entities": []}) + b"x\n",
    ],
)
def test_the_file_of_somebody_else_is_left_alone(out: Path, content: bytes) -> None:
    out.write_bytes(content)
    failures = (out.parent / "out.failures.jsonl").read_bytes()
    with closing(opened(out)) as output, pytest.raises(DataError, match=r"out.jsonl:\d: "):
        found(output)
    assert out.read_bytes() == content
    assert (out.parent / "out.failures.jsonl").read_bytes() == failures


def test_other_settings_are_refused_by_name(out: Path) -> None:
    before = out.read_bytes()
    changed = opened(out, voter="another", added="new")
    with closing(changed) as output, pytest.raises(SettingsError, match="added, voter") as raised:
        found(output)
    assert "another --out" in str(raised.value) and out.read_bytes() == before
    (out.parent / "out.settings.json").unlink()
    changed = opened(out, voter="another")
    with closing(changed) as output, pytest.raises(SettingsError, match="not known which"):
        found(output)


def test_one_at_a_time(out: Path) -> None:
    with closing(opened(out)), pytest.raises(InputError, match="being written by process"):
        opened(out)
    opened(out).close()


def test_a_full_disk_leaves_whole_lines(out: Path) -> None:
    resource = pytest.importorskip("resource", reason="only POSIX limits the size of files")
    import signal

    before = out.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with closing(opened(out)) as output:
        assert len(found(output)) == 3
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, hard))
        try:
            with pytest.raises(InputError, match="run the same line again"):
                output.add(line_of(record("d")))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, ignored)
    assert out.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="rights of folders are POSIX")
def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DeixisError, match="cannot write"):
        opened(tmp_path / "file" / "out.jsonl")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices are POSIX")
def test_what_is_no_file_is_refused_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = Path("none.jsonl")
    os.mkfifo("pipe")
    Path("link").symlink_to("pipe")
    for name in ("pipe", "link", "/dev/null", "/dev/zero", "-"):
        with pytest.raises(InputError, match="no file that a run could go on from"):
            check_place(Path(name), source)
    for name in (".", "", "/", "..", str(tmp_path)):
        with pytest.raises(InputError, match=r"is a folder; name a file in it: .*results.jsonl"):
            check_place(Path(name), source)
    for name in ("x" * 300, "a\0b"):
        with pytest.raises(InputError, match="cannot write"):
            check_place(Path(name), source)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link", "pipe"]


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices are POSIX")
@pytest.mark.parametrize("name", ["out.failures.jsonl", "out.settings.json", "out.lock"])
def test_what_lies_beside_an_output_is_a_file_too_and_not_the_input(
    tmp_path: Path, name: str
) -> None:
    place, out, source = tmp_path / name, tmp_path / "out.jsonl", tmp_path / "in.jsonl"
    source.write_text("rows")
    check_place(out, source)
    os.mkfifo(place)
    with pytest.raises(InputError, match=f"{name} is no file, .* give another --out"):
        check_place(out, source)
    place.unlink()
    place.symlink_to(source)
    with pytest.raises(InputError, match=f"{name} is the input"):
        check_place(out, source)


def test_the_lock_of_another_program_is_left_alone(tmp_path: Path) -> None:
    lock = tmp_path / "poetry.lock"
    lock.write_text("[[package]]\n")
    with pytest.raises(InputError, match="no file of a run"):
        opened(tmp_path / "poetry.jsonl")
    assert lock.read_text() == "[[package]]\n" and not (tmp_path / "poetry.jsonl").exists()


def test_a_mark_and_empty_lines_of_an_editor_are_passed_over(out: Path) -> None:
    lines = out.read_bytes().splitlines(keepends=True)
    out.write_bytes(codecs.BOM_UTF8 + lines[0] + b"\n" + lines[1] + lines[2] + b" \r\n")
    with closing(opened(out)) as output:
        rows = {row.id: place for place, row in output.finished()}
        assert list(rows) == ["a", "b", "c"]
        output.take_out([rows["a"], rows["b"]])
        output.add(line_of(record("d")))
    with closing(opened(out)) as output:
        assert found(output) == ["c", "d"]


def test_a_link_leads_to_the_output(out: Path, tmp_path: Path) -> None:
    link, dangling = tmp_path / "link.jsonl", tmp_path / "dangling.jsonl"
    link.symlink_to(out)
    dangling.symlink_to(tmp_path / "new" / "made.jsonl")
    with closing(opened(link)) as output:
        assert found(output) == ["a", "b", "c"] and output.failures.parent == out.parent
        with pytest.raises(InputError, match="being written"):
            opened(out)
    with closing(opened(dangling)) as output:
        assert found(output) == []
        output.add(line_of(record("a")))
    assert link.is_symlink() and dangling.is_symlink()
    assert list(ids(tmp_path / "new" / "made.jsonl")) == ["a"]
