"""``deixis cache``: what it prints, how it asks, how it fails."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deixis.llms.cache.llm_cache import Answer, LlmCache, Request

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LlmCache:
    """Two answers in the folder where the command line looks."""
    monkeypatch.setenv("DEIXIS_CACHE", str(tmp_path))
    cache = LlmCache(tmp_path / "llm")
    for spec, text in (("openai:gpt-5-mini?seed=1", "[red] \x1b[2J"), ("ollama:qwen", "blue")):
        cache.get_or_ask(
            Request(spec, "You see.", "Which colour?", {}, ("ab",)),
            lambda text=text: text,  # type: ignore[misc]
            keep=lambda text: Answer(text, 7, 3),
            revive=lambda answer: answer.text,
        )
    return cache


@pytest.fixture
def deixis(deixis: Run) -> Run:
    """Run ``deixis cache ARGUMENTS``."""
    return lambda *arguments, **more: deixis("cache", *arguments, **more)


def document(result: tuple[int, str, str]) -> Any:
    code, printed, err = result
    assert (code, err) == (0, "")
    return json.loads(printed)


def test_stats(deixis: Run, cache: LlmCache) -> None:
    code, printed, err = deixis("stats")
    assert (code, err) == (0, "")
    assert "ollama:qwen" in printed and "2 answers" in printed
    found = document(deixis("stats", "--json"))
    assert found["entries"] == 2 and found["folder"] == str(cache.folder)
    assert found["models"]["ollama:qwen"] == {
        "entries": 1,
        "input_tokens": 7,
        "output_tokens": 3,
        "bytes": found["bytes"] - found["models"]["openai:gpt-5-mini?seed=1"]["bytes"],
    }
    assert found["oldest"] < found["newest"]


def test_stats_of_no_cache_makes_none(deixis: Run, tmp_path: Path) -> None:
    assert document(deixis("stats", "--json", "--folder", tmp_path / "none"))["entries"] == 0
    assert deixis("stats", "--folder", tmp_path / "none")[0] == 0
    assert not (tmp_path / "none").exists()


def test_list_shows_the_newest_first(deixis: Run, cache: LlmCache) -> None:
    found = document(deixis("list", "--json"))
    assert [each["spec"] for each in found] == ["ollama:qwen", "openai:gpt-5-mini?seed=1"]
    assert len(document(deixis("list", "--json", "--limit", 1))) == 1
    (only,) = document(deixis("list", "--json", "--model", "openai:gpt-5-mini"))
    assert only["text"] == "[red] \x1b[2J"
    code, printed, err = deixis("list")
    assert (code, err) == (0, "")
    assert found[0]["key"][:12] in printed and "[red]" in printed and "\x1b" not in printed


def test_show(deixis: Run, cache: LlmCache) -> None:
    (record,) = cache.entries("openai:gpt-5-mini")
    code, printed, err = deixis("show", record.key[:10])
    assert (code, err) == (0, "")
    assert record.key in printed and "Which colour?" in printed
    assert "[red] \N{REPLACEMENT CHARACTER}[2J" in printed
    shown = document(deixis("show", record.key[:10], "--json"))
    assert shown == record.model_dump(mode="json")
    code, printed, err = deixis("show", "nothing")
    assert (code, printed) == (2, "")
    assert err == "Error: no answer has a key that begins with 'nothing'\n"


def test_clear_asks_first(deixis: Run, cache: LlmCache) -> None:
    for typed in ("n\n", "", "\n", "why?\n"):
        code, printed, err = deixis("clear", typed=typed)
        assert (code, printed) == (2, "")
        assert "Remove all answers" in err and "nothing was removed" in err
    assert cache.stats().entries == 2
    code, printed, _ = deixis("clear", "--model", "ollama:qwen", typed="y\n")
    assert (code, printed) == (0, "removed 1 answers\n")
    assert document(deixis("clear", "--yes", "--json")) == {"removed": 1}
    assert cache.stats().entries == 0


def test_export_and_import(deixis: Run, cache: LlmCache, tmp_path: Path) -> None:
    path, other = tmp_path / "answers.jsonl", tmp_path / "other"
    assert document(deixis("export", path, "--json")) == {"written": 2, "path": str(path)}
    assert deixis("export", path)[1] == f"wrote 2 answers to {path}\n"
    code, printed, err = deixis("import", path, "--folder", other)
    assert (code, printed, err) == (0, "took 2 answers, kept 0 that were here or newer\n", "")
    imported = document(deixis("import", path, "--folder", other, "--json"))
    assert imported == {"taken": 0, "kept": 2}
    assert list(LlmCache(other).entries()) == list(cache.entries())


def test_errors_are_one_line(deixis: Run, cache: LlmCache, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text('{"key": 1}\n')
    code, printed, err = deixis("import", path)
    assert (code, printed, err.count("\n")) == (2, "", 1)
    assert f"{path}:1: " in err
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "cache.db").write_text("no database" * 1000)
    for command in (["stats"], ["list"], ["show", "a"], ["clear", "--yes"], ["export", path]):
        code, printed, err = deixis(*command, "--folder", tmp_path / "broken")
        assert (code, printed, err.count("\n")) == (2, "", 1)
        assert "file is not a database" in err
    assert path.read_text() == '{"key": 1}\n'
