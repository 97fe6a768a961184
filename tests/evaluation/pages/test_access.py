"""Pages about results, which may be anybody's, open no picture that they were not told to."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.errors import InputError
from deixis.evaluation.compare import compare_files
from deixis.evaluation.metrics import convention, scoring, tasks
from deixis.evaluation.pages.access import Access, place_of
from deixis.evaluation.pages.compare_page import compare_page
from deixis.evaluation.pages.report import report_page
from deixis.schema import ImageInfo
from deixis.testing import Response, Server, serving


def info(source: str) -> ImageInfo:
    return ImageInfo(sha256="", width=80, height=60, source=source)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for folder in ("results/sub", "results-of-others", "data"):
        (tmp_path / folder).mkdir(parents=True)
        Image.new("RGB", (80, 60), "red").save(tmp_path / folder / "a.png")
    (tmp_path / "results" / "link.png").symlink_to(tmp_path / "data" / "a.png")
    (tmp_path / "results" / "folder").symlink_to(tmp_path / "data")
    (tmp_path / "results" / "inner.png").symlink_to("sub/a.png")
    return tmp_path / "results" / "out.jsonl"


@pytest.mark.parametrize("source", ["sub/a.png", "./sub/../sub/a.png", "inner.png", "gone.png"])
def test_pictures_beside_the_results_are_opened(results: Path, source: str) -> None:
    found = place_of(info(source), results, Access())
    assert isinstance(found, Path) and found.is_relative_to(results.parent.resolve())
    found = place_of(info(str(results.parent / source)), results, Access())
    assert isinstance(found, Path) and found.is_relative_to(results.parent.resolve())


@pytest.mark.parametrize(
    "source",
    [
        *("../data/a.png", "sub/../../data/a.png", "link.png", "folder/a.png", "/etc/hostname"),
        *("../results-of-others/a.png", "..", "~/a.png/../../../data/a.png"),
    ],
)
def test_other_paths_only_if_their_folder_is_named(results: Path, source: str) -> None:
    with pytest.raises(InputError, match="outside the folder of the results; name its folder with"):
        place_of(info(source), results, Access(fetch=True))
    if "data" in source or "l" in source[:1]:
        data = results.parent.parent / "data"
        assert place_of(info(source), results, Access((data,))) == data.resolve() / "a.png"


def test_links_to_the_named_folders_are_followed(results: Path) -> None:
    named = Access((results.parent / "folder",))
    assert place_of(info("../data/a.png"), results, named) == place_of(
        info("link.png"), results, named
    )
    with pytest.raises(InputError, match="outside"):
        place_of(info("sub/a.png"), Path("-"), Access())


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("http://127.0.0.1/a.png", "a URL, which is opened with --fetch-pictures alone"),
        ("HTTPS://host.example/a.png", "a URL"),
        ("file:///etc/hostname", "a URL"),
        ("file:/etc/hostname", "a URL"),
        ("http://***@host.example/a.png", "had credentials, which results do not keep"),
        ("bytes", "came as bytes"),
        ("array", "came as array"),
        ("//host/share/a.png", "on another machine"),
        (r"\\host\share\a.png", "on another machine"),
        ("a\0b.png", "no path"),
    ],
)
def test_what_is_no_path_here_is_not_opened(results: Path, source: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        place_of(info(source), results, Access((results.parent,)))


@pytest.fixture
def site() -> Iterator[Server]:
    """A host that has nothing."""
    with serving(lambda _: Response(404)) as server:
        yield server


def write(path: Path, source: str, type_: str = "PER") -> Path:
    entity: dict[str, Any] = {"id": "e1", "text": "Ann", "start": 0, "end": 3, "type": type_}
    entity |= {"confidence": 0.5, "groundable": None, "regions": [], "decisions": []}
    row = {"id": "a", "settings": "s", "text": "Ann", "entities": [entity], "usage": []}
    row |= {"warnings": [], "image": info(source).model_dump()}
    path.write_text(json.dumps(row) + "\n")
    return path


def test_pages_call_nobody_and_say_so(
    results: Path, site: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(results, f"{site.url}/latest/meta-data?leak=1")
    other = write(results.with_name("other.jsonl"), f"{site.url}/latest", "LOC")
    how = scoring.How(tasks.task("gmner"), convention.convention("deixis"))
    compared = compare_files(results, other, how, None, None)

    def pages(access: Access) -> list[str]:
        return [
            report_page(results, access=access),
            compare_page(compared, access=access),
        ]

    for page in pages(Access((results.parent,))):
        assert "The picture cannot be shown" in page and "with --fetch-pictures alone" in page
    for page in pages(Access(fetch=True)):
        assert "not on the public internet" in page
    assert not site.requests
    monkeypatch.setattr("deixis.base.connections.is_public", lambda _: True)
    for page in pages(Access(fetch=True)):
        assert "the server answers 404" in page
    assert len(site.requests) == 3


def test_the_folder_of_the_gold_is_that_of_the_input(results: Path) -> None:
    write(results, "../data/a.png")
    assert "data:image" not in report_page(results)
    gold = results.parent.parent / "data" / "gold.jsonl"
    gold.write_text('{"id": "a", "text": "Ann", "entities": []}\n')
    assert "data:image" in report_page(results, gold)
