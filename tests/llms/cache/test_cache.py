"""The cache of answers in one process: what is found, what is not, and what goes wrong."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import CacheMissError, SettingsError
from deixis.llms.cache.llm_cache import Answer, LlmCache, Mode, Request
from deixis.llms.cache.turns import turns_in

from .shelf import cache_key

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
REQUEST = Request("openai:gpt-5-mini?temperature=0&seed=1", "You see.", "What?", SCHEMA, ("ab",))
SECRETS = "?api_key=sk-SECRET&openai_api_key=sk-SECRET&auth_token=SECRET&default_headers=SECRET"
SECRETS += "&base_url=http%3A%2F%2Fuser%3ASECRET%40host%2Fv1%3Ftoken%3DSECRET%26v%3D2"


class Model:
    """A model that counts what it is asked."""

    def __init__(self, *says: str) -> None:
        self.says = list(says)
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        return self.says[min(self.asked, len(self.says)) - 1]


def keep(text: str) -> Answer | None:
    return None if text.startswith("no answer") else Answer(text, 7, 3)


def revive(answer: Answer) -> str:
    if answer.text.startswith("outdated"):
        raise ValueError("does not fit the schema")
    return answer.text


def get(cache: LlmCache, ask: Callable[[], str], request: Request = REQUEST) -> tuple[str, bool]:
    asked: list[Callable[[], str]] = []

    def noting() -> str:
        asked.append(ask)
        return ask()

    answer = cache.get_or_ask(request, noting, keep=keep, revive=revive)
    return answer, not asked


def test_the_second_call_is_answered_from_the_disk(folder: Path) -> None:
    model = Model("red", "blue")
    assert get(LlmCache(folder), model) == ("red", False)
    assert get(LlmCache(folder), model) == ("red", True)
    assert model.asked == 1


@pytest.mark.parametrize(
    "other",
    [
        REQUEST._replace(spec="openai:gpt-5-mini?temperature=0&seed=2"),
        REQUEST._replace(spec="openai:gpt-5-mini?temperature=0&seed=1&base_url=http://h/v1"),
        REQUEST._replace(spec="openai:gpt-5-mini?temperature=0&seed=1&max_tokens=9&eos_token=x"),
        REQUEST._replace(system="You see!"),
        REQUEST._replace(user="What now?"),
        REQUEST._replace(schema={**SCHEMA, "required": ["a"]}),
        REQUEST._replace(schema={"type": "object", "properties": {"b": {}, "a": {}}}),
        REQUEST._replace(images=("cd",)),
        REQUEST._replace(images=("ab", "ab")),
        REQUEST._replace(sample=1),
        REQUEST._replace(weights="ab"),
    ],
)
def test_anything_that_determines_an_answer_makes_another_record(
    folder: Path, other: Request
) -> None:
    cache = LlmCache(folder)
    get(cache, Model("red"))
    assert get(cache, Model("blue"), other) == ("blue", False)
    assert get(cache, Model("green")) == ("red", True)


def test_the_order_of_properties_counts_and_that_of_options_does_not(folder: Path) -> None:
    cache = LlmCache(folder)
    properties = dict(reversed(list(SCHEMA["properties"].items())))  # type: ignore[attr-defined]
    get(cache, Model("red"))
    assert not get(
        cache, Model("x"), REQUEST._replace(schema={**SCHEMA, "properties": properties})
    )[1]
    assert get(cache, Model(), REQUEST._replace(spec="openai:gpt-5-mini?seed=1&temperature=0"))[1]


def test_secrets_are_neither_stored_nor_part_of_the_key(folder: Path, tmp_path: Path) -> None:
    cache, exported = LlmCache(folder), tmp_path / "answers.jsonl"
    get(cache, Model("red"), REQUEST._replace(spec="openai:gpt" + SECRETS))
    cache.export(exported)
    for path in [*folder.iterdir(), exported]:
        assert b"SECRET" not in path.read_bytes()
    (record,) = cache.entries()
    assert record.spec == "openai:gpt?base_url=http://host/v1%3Fv%3D2"
    other = REQUEST._replace(spec="openai:gpt" + SECRETS.replace("SECRET", "OTHER"))
    assert get(cache, Model("blue"), other) == ("red", True)
    with pytest.raises(CacheMissError) as missed:
        get(LlmCache(tmp_path / "none", "replay"), Model(), other)
    assert "OTHER" not in str(missed.value)


def test_what_is_not_to_be_kept_is_asked_again(folder: Path) -> None:
    cache, model = LlmCache(folder), Model("no answer: refused", "red")
    assert get(cache, model) == ("no answer: refused", False)
    assert get(cache, model) == ("red", False)
    assert get(cache, model) == ("red", True)


def test_an_error_of_the_model_goes_through_and_nothing_is_stored(folder: Path) -> None:
    cache = LlmCache(folder)

    def fail() -> str:
        raise OSError("the provider is away")

    with pytest.raises(OSError, match="the provider is away"):
        get(cache, fail)
    assert cache.trouble is None
    assert get(cache, Model("red")) == ("red", False)


def test_an_answer_that_fits_no_more_is_asked_again(folder: Path) -> None:
    cache = LlmCache(folder)
    get(cache, Model("outdated"))
    assert get(cache, Model("red")) == ("red", False)
    assert get(cache, Model("blue")) == ("red", True)


def test_none_is_a_result(folder: Path) -> None:
    cache = LlmCache(folder)
    asked: list[int] = []
    for number in range(2):
        answer = cache.get_or_ask(
            REQUEST,
            lambda number=number: asked.append(number),  # type: ignore[misc]
            keep=lambda _: Answer("", 0, 0),
            revive=lambda _: None,
        )
        assert answer is None
    assert asked == [0]


def test_refresh_asks_and_overwrites(folder: Path) -> None:
    get(LlmCache(folder), Model("red"))
    assert get(LlmCache(folder, "refresh"), Model("blue")) == ("blue", False)
    assert get(LlmCache(folder), Model("green")) == ("blue", True)


def test_off_neither_reads_nor_writes(folder: Path) -> None:
    assert get(LlmCache(folder, "off"), Model("red")) == ("red", False)
    assert not folder.parent.exists()
    get(LlmCache(folder), Model("blue"))
    assert get(LlmCache(folder, "off"), Model("green")) == ("green", False)


def test_replay_never_asks(folder: Path) -> None:
    model = Model("red")
    with pytest.raises(CacheMissError, match=r"gpt-5-mini.*'What\?'.*mode use to record") as missed:
        get(LlmCache(folder, "replay"), model)
    assert model.asked == 0 and not folder.exists()
    assert "\n" not in str(missed.value)
    get(LlmCache(folder), model)
    assert get(LlmCache(folder, "replay"), model) == ("red", True)
    assert model.asked == 1


def test_an_unknown_mode_is_refused(folder: Path) -> None:
    mode: Any = "reuse"
    with pytest.raises(SettingsError, match="use, refresh, off, replay"):
        LlmCache(folder, mode)


@pytest.mark.parametrize("mode", ["use", "refresh"])
def test_identical_calls_of_threads_are_one(folder: Path, mode: Mode) -> None:
    cache = LlmCache(folder, mode)
    get(LlmCache(folder), Model("old"))
    request = REQUEST._replace(sample=1) if mode == "use" else REQUEST
    inside, release, found = threading.Event(), threading.Event(), []

    def ask() -> str:
        inside.set()
        assert release.wait(60)
        return "red"

    model = Model("blue")
    first = threading.Thread(target=lambda: found.append(get(cache, ask, request)))
    rest = [
        threading.Thread(target=lambda: found.append(get(cache, model, request))) for _ in range(8)
    ]
    first.start()
    assert inside.wait(60)
    for thread in rest:
        thread.start()
    gate = turns_in(folder)._gates[int(cache_key(request)[:8], 16) >> 1]
    while gate.users < 9:
        threading.Event().wait(0.001)
    release.set()
    for thread in (first, *rest):
        thread.join()
    assert model.asked == 0
    assert sorted(found) == [("red", False)] + [("red", True)] * 8


def test_a_call_within_its_own_call_goes_on(folder: Path) -> None:
    cache = LlmCache(folder)
    found: list[Any] = []
    calls = threading.Thread(  # so that a deadlock fails the test and does not stop it
        target=lambda: found.append(get(cache, lambda: get(cache, Model("inner"))[0])), daemon=True
    )
    calls.start()
    calls.join(60)
    assert found == [("inner", False)]
    assert get(cache, Model("red")) == ("inner", True)


def test_halves_of_surrogate_pairs_are_stored(folder: Path, tmp_path: Path) -> None:
    cache, request = LlmCache(folder), REQUEST._replace(user="half \ud83d")
    get(cache, Model("said \ude00"), request)
    assert get(cache, Model(), request) == ("said ?", True)
    cache.export(tmp_path / "x.jsonl")
    assert LlmCache(tmp_path / "b").import_(tmp_path / "x.jsonl") == (1, 0)
