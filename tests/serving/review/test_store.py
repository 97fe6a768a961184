"""What reviewers say is kept, whatever happens, and is gold."""

import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deixis.errors import DataError, InputError
from deixis.serving.review.index import Index, Wanted
from deixis.serving.review.shelf import reviewer_of, stem_of
from deixis.serving.review.store import StaleError, Store

from .conftest import entity, gold_of, result, results, retyped, write


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    made = Store(file, file.with_name("results.review"))
    yield made
    made.close()


def listed(store: Store, **wanted: object) -> list[int]:
    return [row["n"] for row in store.listed(Wanted("ann", **wanted))["rows"]]  # type: ignore[arg-type]


def again(store: Store, **more: object) -> Store:
    store.close()
    return Store(store.results, store.folder, **more)  # type: ignore[arg-type]


def test_a_row_is_accepted_corrected_and_skipped(store: Store) -> None:
    assert store.review(1, "ann", "accepted", seconds=2.0)["changed"] == []
    told = store.review(2, "ann", "corrected", extraction=retyped(results()[1], 1, "ORG"))
    assert told["changed"] == ["type"]
    store.review(3, "ann", "skipped")
    first, second = gold_of(store.folder / "ann.jsonl")
    assert first["review"]["verdict"] == "accepted" and first["review"]["seconds"] == 2.0
    assert [each["type"] for each in second["entities"]] == ["PER", "ORG"]
    assert first["image"] == "../one.png"
    [skipped] = gold_of(store.folder / "ann.skipped.jsonl")
    assert skipped["id"] == "r3"
    [told] = store.describe("ann")["reviewers"]
    assert told == {"name": "ann", "accepted": 1, "corrected": 1, "skipped": 1}
    assert listed(store, state="open") == [] and listed(store, state="skipped") == [3]
    assert listed(store, state="nobody") == [3] and listed(store, state="others") == []


def test_what_was_said_is_there_when_it_is_opened_again(store: Store) -> None:
    store.review(1, "ann", "corrected", extraction=retyped(results()[0], 0, "ORG"))
    store.review(2, "Ann Lee", "accepted")
    opened = again(store)
    mine = opened.row(1, "ann")["mine"]
    assert mine["verdict"] == "corrected" and mine["extraction"]["entities"][0]["type"] == "ORG"
    assert opened.row(2, "ann")["others"] == [{"reviewer": "Ann Lee", "verdict": "accepted"}]
    assert opened.describe("Ann Lee")["place"] == 2
    opened.close()


def test_a_row_is_decided_again_and_stands_once(store: Store) -> None:
    version = store.review(1, "ann", "accepted")["version"]
    store.review(2, "ann", "accepted")
    changed = retyped(results()[0], 0, "ORG")
    version = store.review(1, "ann", "corrected", extraction=changed, version=version)["version"]
    assert [row["id"] for row in gold_of(store.folder / "ann.jsonl")] == ["r2", "r1"]
    version = store.review(1, "ann", "skipped", version=version)["version"]
    assert [row["id"] for row in gold_of(store.folder / "ann.jsonl")] == ["r2"]
    store.review(1, "ann", "accepted", version=version)
    assert store.row(1, "ann")["mine"]["verdict"] == "accepted"
    opened = again(store)
    assert opened.row(1, "ann")["mine"]["verdict"] == "accepted"
    assert opened.row(2, "ann")["mine"]["verdict"] == "accepted"
    opened.close()


def test_a_stale_write_is_told_and_two_reviewers_keep_theirs(store: Store) -> None:
    store.review(1, "ann", "accepted")
    store.review(1, "bob", "corrected", extraction=retyped(results()[0], 0, "ORG"))
    with pytest.raises(StaleError, match="you have accepted this row"):
        store.review(1, "ann", "skipped")
    assert store.row(1, "ann")["mine"]["verdict"] == "accepted"
    assert store.row(1, "bob")["mine"]["verdict"] == "corrected"


@pytest.mark.parametrize("kept", range(1, 60, 7))
def test_a_kill_in_the_middle_of_a_line_loses_nothing_that_was_told(
    store: Store, kept: int
) -> None:
    store.review(1, "ann", "accepted")
    path = store.folder / "ann.jsonl"
    whole = path.read_bytes()
    store.review(2, "ann", "accepted")
    path.write_bytes(path.read_bytes()[: len(whole) + kept])
    opened = again(store)
    assert path.read_bytes() == whole
    opened.review(2, "ann", "accepted")
    assert [row["id"] for row in gold_of(path)] == ["r1", "r2"]
    opened.close()


def test_a_last_line_without_its_end_and_an_id_that_stands_twice(store: Store) -> None:
    store.review(1, "ann", "accepted")
    path = store.folder / "ann.jsonl"
    line = path.read_bytes()
    path.write_bytes(line + line.replace(b"accepted", b"corrected").rstrip())
    opened = again(store)
    assert opened.row(1, "ann")["mine"]["verdict"] == "corrected"
    assert len(gold_of(path)) == 1
    opened.close()


def test_a_line_of_another_file_is_refused_with_its_place(store: Store) -> None:
    (store.folder / "ann.jsonl").write_text('{"id": "r1"}\n')
    with pytest.raises(DataError, match=r"ann\.jsonl:1: this is no review"):
        again(store)


def test_one_process_has_the_folder(store: Store) -> None:
    with pytest.raises(InputError, match="is being written by process"):
        Store(store.results, store.folder)


@pytest.mark.parametrize("change", [{"text": "else"}, {"image": None}, {"entities": [{"id": 1}]}])
def test_a_correction_of_another_post_is_refused(store: Store, change: dict[str, object]) -> None:
    given = {**retyped(results()[2], 0, "PER"), **change}
    with pytest.raises(InputError, match="correction"):
        store.review(3, "ann", "corrected", extraction=given)
    assert store.row(3, "ann")["mine"] is None


def test_names_are_no_paths_and_never_meet() -> None:
    names = ["ann", "Ann", "ANN", "../ann", "ann/..", "a n n", "con", "Åsa", "åsa", "x" * 90, "…"]
    hashed = stem_of("Ann")
    names += [hashed, hashed.upper(), "ann.skipped", "-ann"]
    stems = [stem_of(reviewer_of(name)).casefold() for name in names]
    assert len(set(stems)) == len(names)
    assert all(set(stem) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_") for stem in stems)
    with pytest.raises(InputError, match="1 to 100"):
        reviewer_of(" \n ")


def test_rows_are_ordered_and_chosen(store: Store) -> None:
    assert listed(store, order="uncertain") == [2, 3, 1]
    assert listed(store, type="ORG") == [1, 3]
    assert listed(store, text="GRACE") == [1] and listed(store, text="%") == []
    assert listed(store, offset=1, limit=1) == [2]
    assert store.listed(Wanted("ann", limit=1))["total"] == 3


def test_where_another_run_differs(file: Path, tmp_path: Path) -> None:
    rows = results()
    rows[2]["entities"][0]["type"] = "PER"
    also = write(tmp_path / "also.jsonl", rows[1:])
    with_other = Store(file, tmp_path / "folder", also=also)
    assert listed(with_other, order="disagreement")[0] == 3
    [difference] = with_other.row(3, "ann")["differences"]
    assert difference["kinds"] == {"type": 1.0}
    assert with_other.row(1, "ann")["differences"] is None
    with_other.close()


def test_what_failed_and_what_is_damaged_is_shown(tmp_path: Path) -> None:
    rows = [*results(), results()[0], {"id": "bad", "text": 3, "warnings": [1]}]
    file = write(tmp_path / "out.jsonl", rows)
    with file.open("a") as out:
        out.write("{half\n")
    failed = {"id": "f1", "line": 9, "error": "the picture is broken", "settings": "s"}
    write(tmp_path / "out.failures.jsonl", [failed])
    store = Store(file, tmp_path / "folder")
    assert listed(store, failed=True) == [4, 5, 6, 7]
    assert "earlier line" in store.row(4, "ann")["error"]
    assert "damaged" in store.row(5, "ann")["error"]
    assert store.row(6, "ann")["extraction"] is None
    assert store.row(7, "ann")["error"] == "the picture is broken"
    for n in (4, 5, 6, 7, 8, 0):
        with pytest.raises(InputError):
            store.review(n, "ann", "accepted")
    store.close()


def test_a_large_file_is_not_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "large.jsonl"
    words = "word " * 100
    line = json.dumps(result("ID", f"Grace Hopper {words}", [entity("e1", "Grace", 0, "PER")]))
    with file.open("w") as out:
        for n in range(5_000):
            out.write(line.replace('"ID"', f'"{n}"') + "\n")
    tracemalloc.start()
    index = Index(file)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < file.stat().st_size / 4
    assert index.count() == 5_000
    assert index.data(index.row(4_999)["start"])["id"] == "4998"
    index.close()


def test_what_was_said_is_gold(store: Store, run: Callable[..., str], tmp_path: Path) -> None:
    store.review(1, "ann", "accepted")
    store.review(2, "ann", "corrected", extraction=retyped(results()[1], 1, "ORG"))
    store.review(1, "bob", "accepted")
    ann, bob = store.folder / "ann.jsonl", store.folder / "bob.jsonl"
    words = ("eval", ann, store.results, "--task", "gmner", "--json")
    with pytest.raises(DataError):
        run(*words)
    scored = json.loads(run(*words, "--some"))
    assert scored["samples"] == 2
    agreed = json.loads(run("dataset", "agreement", ann, bob, "--json"))
    assert agreed["pairs"][0]["mean_iou"] == 1.0
    shown = json.loads(run("review", store.results, "--report", "--json"))
    assert shown["reviewers"][0]["score"]["gmner"]["f1"]["value"] == pytest.approx(0.75)
