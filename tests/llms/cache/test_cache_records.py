"""What the cache tells of itself: statistics, records, files to share."""

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import CacheMissError, DataError, InputError
from deixis.llms.cache.llm_cache import Answer, Imported, LlmCache

from .shelf import REQUEST, cache_key, get


def filled(folder: Path) -> LlmCache:
    cache = LlmCache(folder)
    get(cache, "red")
    get(cache, "blue", REQUEST._replace(user="Farbe? \N{SNOWMAN}"))
    get(cache, "green", REQUEST._replace(spec="ollama:qwen"))
    return cache


def test_stats_entries_show_and_clear(folder: Path) -> None:
    cache = filled(folder)
    stats = cache.stats()
    assert stats.entries == 3 and stats.damaged == 0
    assert {spec: each.entries for spec, each in stats.models.items()} == {
        "ollama:qwen": 1,
        "openai:gpt-5-mini?seed=1&temperature=0": 2,
    }
    assert stats.models["ollama:qwen"][2:] == (7, 3)
    assert stats.oldest and stats.newest and stats.oldest < stats.newest
    bodies = [record.model_dump_json().encode() for record in cache.entries()]
    assert stats.bytes == sum(map(len, bodies))
    key = cache_key(REQUEST)
    assert cache.show(key) == cache.show(key[:9].upper())
    assert (cache.show(key).text, cache.show(key).images) == ("red", ("ab",))
    assert [record.text for record in cache.entries("ollama:qwen")] == ["green"]
    assert cache.clear("openai:gpt-5-mini") == 2
    assert [record.text for record in cache.entries()] == ["green"]
    assert (cache.clear(), cache.stats().entries, cache.stats().oldest) == (1, 0, None)


@pytest.mark.parametrize("prefix", ["", "xyz", "%", "_", "f" * 65, "0" * 64])
def test_show_wants_the_beginning_of_one_key(folder: Path, prefix: str) -> None:
    with pytest.raises(InputError, match="no answer"):
        filled(folder).show(prefix)


def test_show_of_an_ambiguous_prefix(folder: Path) -> None:
    cache = LlmCache(folder)
    for sample in range(17):  # sixteen digits: two of them begin alike
        get(cache, "red", REQUEST._replace(sample=sample))
    firsts = [record.key[0] for record in cache.entries()]
    (twice, *_) = [each for each in firsts if firsts.count(each) > 1]
    with pytest.raises(InputError, match="several"):
        cache.show(twice)


def test_more_records_than_are_read_at_once(folder: Path, tmp_path: Path) -> None:
    cache = LlmCache(folder)
    for sample in range(600):
        get(cache, f"{sample}", REQUEST._replace(sample=sample))
    assert sorted(int(record.text) for record in cache.entries()) == list(range(600))
    assert cache.export(tmp_path / "x.jsonl") == 600
    assert LlmCache(tmp_path / "b").import_(tmp_path / "x.jsonl") == (600, 0)
    assert cache.clear() == 600


def test_a_wrong_line_at_the_end_of_a_long_file(folder: Path, tmp_path: Path) -> None:
    cache, path = LlmCache(folder), tmp_path / "x.jsonl"
    for sample in range(250):
        get(cache, "red", REQUEST._replace(sample=sample))
    cache.export(path)
    with path.open("a") as file:
        file.write("{}\n")
    other = LlmCache(tmp_path / "other")
    with pytest.raises(DataError, match=r"x\.jsonl:251: key: "):
        other.import_(path)
    assert other.stats().entries == 0


def test_an_exported_run_replays_elsewhere(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "to" / "answers.jsonl"
    assert filled(folder).export(path) == 3
    other = LlmCache(tmp_path / "other")
    assert other.import_(path) == Imported(taken=3, kept=0)
    assert other.import_(path) == Imported(taken=0, kept=3)
    assert get(LlmCache(tmp_path / "other", "replay"), "asked") == ("red", True)
    other.export(tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == path.read_bytes()
    assert [each.name for each in path.parent.iterdir()] == ["answers.jsonl"]


def test_how_sure_a_model_was_is_stored_and_exported(folder: Path, tmp_path: Path) -> None:
    sure = Answer("red", 7, 3, "stop", {"e1/visible": {"yes": 0.9, "no": 0.1}})
    path = tmp_path / "answers.jsonl"

    def got(cache: LlmCache) -> Answer:
        return cache.get_or_ask(
            REQUEST, lambda: sure, keep=lambda each: each, revive=lambda each: each
        )

    assert got(LlmCache(folder)) == sure
    LlmCache(folder).export(path)
    LlmCache(tmp_path / "other").import_(path)
    for each in (folder, tmp_path / "other"):
        assert got(LlmCache(each, "replay")) == sure


def test_a_record_of_before_there_were_probabilities_is_found(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    get(LlmCache(folder), "red")
    LlmCache(folder).export(path)
    old = json.loads(path.read_text(encoding="utf-8"))
    assert old.pop("chances") == {}
    path.write_text(json.dumps(old) + "\n", encoding="utf-8")
    cache = LlmCache(tmp_path / "other")
    assert cache.import_(path) == (1, 0)
    # As it lies in a folder of then.
    cache._store.write(cache_key(REQUEST), json.dumps(old).encode())
    assert get(LlmCache(tmp_path / "other", "replay"), "asked") == ("red", True)
    assert [each.chances for each in cache.entries()] == [{}]


def test_import_keeps_what_is_newer_and_replaces_what_is_older(
    folder: Path, tmp_path: Path
) -> None:
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    get(LlmCache(folder), "red")
    LlmCache(folder).export(old)
    get(LlmCache(folder, "refresh"), "blue")
    LlmCache(folder).export(new)
    cache = LlmCache(folder)
    assert cache.import_(old) == (0, 1)
    assert get(cache, "asked") == ("blue", True)
    cache.clear()
    assert (cache.import_(old), cache.import_(new)) == ((1, 0), (1, 0))
    assert get(cache, "asked") == ("blue", True)


def test_what_was_in_the_weights_goes_along(folder: Path, tmp_path: Path) -> None:
    trained, path = REQUEST._replace(weights="ab"), tmp_path / "answers.jsonl"
    get(LlmCache(folder), "red", trained)
    LlmCache(folder).export(path)
    other = LlmCache(tmp_path / "other", "replay")
    assert other.import_(path) == (1, 0)
    assert get(other, "asked", trained) == ("red", True)
    with pytest.raises(CacheMissError):
        get(other, "asked")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"user": "Another question"}, "key does not belong"),
        ({"sample": 5}, "key does not belong"),
        ({"weights": "ab"}, "key does not belong"),
        ({"key": "0" * 64}, "key does not belong"),
        ({"spec": "openai:gpt?api_key=sk"}, "no secrets"),
        ({"spec": "openai:gpt?b=1&a=1"}, "in order"),
        ({"text": None}, "text: "),
        ({"input_tokens": "7"}, "input_tokens: "),
        ({"when": "2026-01-01T00:00:00"}, "when: "),
        ({"format": 2}, "format: "),
        ({"extra": 1}, "extra: "),
        (None, "Invalid JSON"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_taken(
    folder: Path, tmp_path: Path, change: dict[str, Any] | None, problem: str
) -> None:
    path = tmp_path / "answers.jsonl"
    filled(folder).export(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    wrong = lines[2][:40] if change is None else json.dumps({**json.loads(lines[2]), **change})
    path.write_text("\n".join([*lines[:2], "", wrong]), encoding="utf-8")
    other = LlmCache(tmp_path / "other")
    with pytest.raises(DataError, match=rf"answers\.jsonl:4: .*{problem}"):
        other.import_(path)
    assert other.stats().entries == 0


def test_files_that_cannot_be_read_or_written(folder: Path, tmp_path: Path) -> None:
    cache = filled(folder)
    with pytest.raises(InputError, match=r"cannot read .*No such file"):
        cache.import_(tmp_path / "none.jsonl")
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe\n")
    with pytest.raises(DataError, match=r"bytes\.jsonl is in UTF-16"):
        cache.import_(tmp_path / "bytes.jsonl")
    (tmp_path / "taken").mkdir()
    with pytest.raises(InputError, match="cannot write"):
        cache.export(tmp_path / "taken")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bytes.jsonl", "cache", "taken"]
