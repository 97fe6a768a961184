"""Every form: found by its name, heeds what it says, takes rows of every kind."""

import json
from pathlib import Path

import pytest

from deixis.errors import InputError, SettingsError
from deixis.exchange.items import Exporter, How, Importer, Written, items_of
from deixis.exchange.registry import find, heeded, names
from deixis.rows import Problem

from .conftest import ALL, HEARD, SEEN, Write

FORMS = names(Exporter)
OURS = {"csv", "fiftyone", "jsonld", "parquet", "turtle"}


def test_the_forms_are_found() -> None:
    assert set(FORMS) >= OURS
    assert not OURS & set(names(Importer)), "what does not come back is not offered"
    for kind in (Exporter, Importer):
        for name in names(kind):
            form = find(name, kind)
            assert form.name == name and form.about
            assert set(form.options) <= set(How._fields)


def test_the_nearest_name_is_offered() -> None:
    with pytest.raises(SettingsError, match="did you mean 'turtle'"):
        find("turle", Exporter)
    with pytest.raises(SettingsError, match="imported from 'csv'"):
        find("csv", Importer)


def test_what_has_no_effect_is_an_error() -> None:
    form = find("csv", Exporter)
    assert heeded(form, How(pictures="x")).pictures == "x"
    with pytest.raises(InputError, match="csv does not heed --base, --model; it heeds --pictures"):
        heeded(form, How(base="urn:x:", model="m"))


def files_of(written: Written) -> list[Path]:
    """The files that were written, those of a folder as well."""
    found = [[path] if path.is_file() else path.rglob("*") for path in written.files]
    return sorted(path for each in found for path in each if path.is_file())


@pytest.mark.parametrize("form", FORMS)
def test_rows_of_every_kind_are_taken(write: Write, form: str, tmp_path: Path) -> None:
    written = write(form, ALL)
    files = files_of(written)
    out = tmp_path / "out" / "it"
    there = [path for path in out.rglob("*") if path.is_file()] if out.is_dir() else [out]
    assert files and set(files) <= set(there)
    assert not [path for path in there if path.name.endswith(".part")], "no draft is left"
    assert max(written.counts.values()) >= 2


@pytest.mark.parametrize("form", FORMS)
def test_no_rows_at_all_are_taken(write: Write, form: str) -> None:
    written = write(form, [])
    assert not any(written.counts.values()) and written.left_out == []
    assert all(path.exists() for path in written.files)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_rows_give_the_same_bytes(write: Write, form: str) -> None:
    def content(name: str) -> list[bytes]:
        return [path.read_bytes() for path in files_of(write(form, ALL, name))]

    assert content("one") == content("two")


def test_a_picture_of_no_size(tmp_path: Path) -> None:
    large = {**SEEN, "images": [SEEN["image"], {**SEEN["image"], "width": 10**30}]}
    (tmp_path / "rows.jsonl").write_text(json.dumps(large) + "\n")
    [problem] = items_of(tmp_path / "rows.jsonl")
    assert isinstance(problem, Problem) and problem.error.startswith("no picture has 10000")


def test_half_a_character(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(
        r'{"id": "1", "text": "a\ud83d b", "entities": []}'
        "\n"
        r'{"id": "2", "text": "a\ud83d\ude00 b", "entities": [], "\uD800": 1}'
        "\n"
        r'{"id": "3", "text": "a\ud83d\ude00 b", "entities": []}'
        "\n"
    )
    one, other, item = items_of(tmp_path / "rows.jsonl")
    assert isinstance(one, Problem) and isinstance(other, Problem)
    assert "surrogate" in one.error and "surrogate" in other.error
    assert not isinstance(item, Problem) and item.row.text == "a\U0001f600 b"


def test_credentials_stay_here(write: Write) -> None:
    secret = {"id": "s", "text": "", "image": "https://u:pw1234@h/x.jpg?token=t0ps3cret"}
    for form in sorted(OURS):
        for path in write(form, [secret, HEARD], form).files:
            assert b"t0ps3cret" not in path.read_bytes() and b"pw1234" not in path.read_bytes()
