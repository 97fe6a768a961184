"""Going on with a batch run: results that no longer are what the input says."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from deixis.batch.input import Rows
from deixis.batch.output import Finished, Output, line_of
from deixis.batch.resume import Resumed, go_on
from deixis.batch.row import Task
from deixis.errors import DataError

PATCH = {"letter": "a", "box": [0, 0, 9, 9]}
URL = "https://example.org/a.jpg"


def _source(image: str | None) -> str | None:
    return image if image is None or "://" in image else os.path.basename(image)


class Run:
    """A folder with an input and an output; rows are finished as they stand in the input."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        self.folder, self._opened = folder, opened
        self.rows: dict[str, dict[str, Any]] = {}
        self.out = folder / "out.jsonl"

    def go_on(self, renew: bool = False, limit: int | None = None) -> tuple[Resumed, list[str]]:
        """Return what became of finished rows, and which rows are run; finish these."""
        source = self.folder / "in.jsonl"
        lines = (json.dumps({"id": key, **row}) + "\n" for key, row in self.rows.items())
        source.write_text("".join(lines))
        with ExitStack() as opened:
            rows = Rows(source, 1000)
            opened.callback(rows.close)
            rows.scan(limit=limit)
            output = Output(self.out, {"deixis": "1"}, "s1", Finished.model_validate_json)
            opened.callback(output.close)
            found = go_on(rows, output, renew)
            ran = [each for each in rows if isinstance(each, Task)]
            for task in ran:
                output.add(self._result(task))
        return found, [task.id for task in ran]

    def _result(self, task: Task) -> bytes:
        image = None
        if task.image is not None:
            content = b"" if "://" in task.image else Path(task.image).read_bytes()
            image = {"sha256": sha256(content).hexdigest(), "width": 9, "height": 9}
            image["source"] = _source(task.image)
        given = {"input": task.input} if task.input else {}
        rest = {"text": task.text, "image": image, "entities": []}
        return line_of({"id": task.id, "settings": "s1", **given, **rest})

    def ids(self) -> list[str]:
        return [json.loads(line)["id"] for line in self.out.read_text().splitlines()]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with ExitStack() as opened:
        made = Run(tmp_path, opened)
        (tmp_path / "a.jpg").write_bytes(b"a")
        made.rows = {
            "plain": {"text": "one"},
            "seen": {"text": "two", "image": "a.jpg", "patches": [PATCH]},
            "far": {"text": "three", "image": URL},
        }
        assert made.go_on() == (Resumed(0, (), 0), ["plain", "seen", "far"])
        assert made.go_on() == (Resumed(0, (), 0), [])
        yield made


@pytest.mark.parametrize(
    ("id_", "change", "what"),
    [
        ("plain", {"text": "two"}, "text"),
        ("plain", {"image": "a.jpg"}, "picture"),
        ("plain", {"image": URL}, "picture"),
        ("seen", {"image": None, "patches": None}, "patches, caption or mentions"),
        ("seen", {"patches": [{**PATCH, "box": [0, 0, 8, 9]}]}, "patches, caption or mentions"),
        ("seen", {"image": "b.jpg"}, "picture"),
        ("far", {"image": URL.replace("a.jpg", "b.jpg")}, "picture"),
        ("far", {"image": None}, "picture"),
        ("far", {"image": "a.jpg"}, "picture"),
    ],
)
def test_a_row_that_has_changed_is_told_and_can_be_run_again(
    run: Run, id_: str, change: dict[str, Any], what: str
) -> None:
    (run.folder / "b.jpg").write_bytes(b"b")
    run.rows[id_] |= change
    before = run.out.read_bytes()
    assert run.go_on() == (Resumed(1, (f"{id_!r} ({what})",), 0), [])
    assert run.out.read_bytes() == before
    assert run.go_on(renew=True) == (Resumed(1, (f"{id_!r} ({what})",), 0), [id_])
    assert sorted(run.ids()) == sorted(run.rows)
    assert run.go_on(renew=True) == (Resumed(0, (), 0), [])


def test_a_picture_counts_by_what_it_holds(run: Run) -> None:
    picture = run.folder / "a.jpg"
    picture.unlink()
    picture.write_bytes(b"a")
    assert run.go_on()[0].changed == 0, "another file with the same in it"
    picture.rename(run.folder / "renamed.jpg")
    run.rows["seen"]["image"] = "renamed.jpg"
    assert run.go_on()[0].changed == 0
    (run.folder / "renamed.jpg").write_bytes(b"x")
    os.utime(run.folder / "renamed.jpg", (0, 0))
    assert run.go_on()[0].examples == ("'seen' (picture)",)


def test_an_old_picture_may_be_another(run: Run) -> None:
    """Neither the picture nor anything about it is younger than the results."""
    for name in ("v1", "v2"):
        (run.folder / name).mkdir()
        (run.folder / name / "a.jpg").write_text(name)
    (run.folder / "pictures").symlink_to("v1")
    run.rows["linked"] = {"text": "four", "image": "pictures/a.jpg"}
    assert run.go_on() == (Resumed(0, (), 0), ["linked"])
    (run.folder / "out.settings.json").write_text('{\n "deixis": "1"\n}\n')  # as a copy is younger
    (run.folder / "pictures").unlink()
    (run.folder / "pictures").symlink_to("v2")
    assert run.go_on()[0].examples == ("'linked' (picture)",)


def test_results_of_earlier_versions_say_less(run: Run) -> None:
    lines = [json.loads(line) for line in run.out.read_text().splitlines()]
    assert [line.pop("input", None) is not None for line in lines] == [False, True, False]
    run.out.write_bytes(b"".join(map(line_of, lines)))
    assert run.go_on() == (Resumed(0, (), 0), [])


def test_a_row_that_is_gone_is_refused_or_taken_out(run: Run) -> None:
    del run.rows["seen"]
    before = run.out.read_bytes()
    with pytest.raises(DataError, match=r"out\.jsonl:2: 'seen' is no row of .*--renew"):
        run.go_on()
    assert run.out.read_bytes() == before
    assert run.go_on(renew=True) == (Resumed(0, (), 1), [])
    assert run.ids() == ["plain", "far"]


def test_a_row_beyond_the_limit_or_wrong_by_now_is_not_gone(run: Run) -> None:
    assert run.go_on(limit=1) == (Resumed(0, (), 0), [])
    (run.folder / "a.jpg").unlink()
    assert run.go_on() == (Resumed(0, (), 0), [])


@pytest.mark.parametrize("renew", [False, True])
def test_a_row_that_stands_twice_is_refused(run: Run, renew: bool) -> None:
    whole = run.out.read_bytes()
    run.out.write_bytes(whole + whole.splitlines(keepends=True)[1])
    with pytest.raises(DataError, match=r"out\.jsonl:4: 'seen' stands on an earlier line"):
        run.go_on(renew)
