"""Scripted models: who answers what, to whom, and what a whole graph makes of it."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from langchain_core.messages import AIMessage
from pydantic import BaseModel, ConfigDict

from deixis import Settings, build_graph
from deixis.errors import SettingsError
from deixis.llms import registry, structured
from deixis.llms.answers.reading import Text
from deixis.llms.media import clip, recording
from deixis.llms.photos import photo
from deixis.llms.structured import Reply, ask
from deixis.prompts import Prompt
from deixis.testing import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    After,
    Cut,
    Question,
    Refused,
    fault,
    fill,
    scripted,
    with_scripted_models,
)

PROMPT = Prompt("Be brief.", "What colour is the sky?", "colour", 1)
TEXT = "Grace Hopper of the US Navy"


class Colour(BaseModel):
    model_config = ConfigDict(extra="forbid")

    color: Literal["blue", "grey"]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structured, "_PAUSES", (0.0, 0.0))


def put(name: str = "any", kind: type[BaseModel] = Text, **more: Any) -> Reply[Any]:
    return ask(registry.load(f"scripted:{name}"), PROMPT, kind, max_tokens=50, **more)


def texts(*names: str) -> list[str]:
    return [put(name).calls[-1].text for name in names]


def test_replies_come_in_order_and_the_last_goes_on() -> None:
    with scripted("one", "two"):
        assert texts("a", "b", "a", "b") == ["one", "two", "two", "two"]


def test_models_and_prompts_have_replies_of_their_own() -> None:
    prompts = {"colour": "by prompt", "weather": "never"}
    with scripted("other", models={"a": ["one", "two"], "b": "three"}, prompts=prompts):
        assert texts("a", "b", "a", "c", "a", "b") == [
            *("one", "three", "two", "by prompt", "two", "three")
        ]
        other = ask(registry.load("scripted:c"), Prompt("", "Hm?", "x", 1), Text, max_tokens=5)
    assert other.value == Text(text="other")


def test_without_replies_the_answer_is_what_fits() -> None:
    with scripted():
        assert put(kind=Colour).value == Colour(color="blue")
        assert put().value == Text(text=fill(None))


def test_a_question_is_kept_as_it_was_asked() -> None:
    pictures = [photo(np.full((4, 6, 3), value, np.uint8), 100) for value in (0, 255)]
    with scripted({"color": "grey"}) as asked:
        assert put("voter", Colour, images=pictures).value == Colour(color="grey")
    (question,) = asked
    assert question.model == "voter" and question.system == PROMPT.system
    assert question.user.endswith(PROMPT.user) and question.max_tokens == 50
    assert question.schema == Colour.model_json_schema()
    assert question.images == tuple(picture.data for picture in pictures)
    assert [message.type for message in question.messages] == ["system", "human"]


def test_what_was_wrong_with_a_reply_is_in_the_messages() -> None:
    with scripted("no JSON", {"color": "blue"}) as asked:
        assert put(kind=Colour).value == Colour(color="blue")
    assert [message.type for message in asked[1].messages][2:] == ["ai", "human"]
    assert asked[1].user == PROMPT.user


@pytest.mark.parametrize(
    ("replies", "status", "calls"),
    [
        ([Refused("I will not")], "refused", ["refused"]),
        ([Cut('{"color')], "truncated", ["truncated", "truncated"]),
        ([Cut(), {"color": "blue"}], "ok", ["truncated", "ok"]),
        ([TimeoutError("slow")], "failed", ["failed"] * 3),
        ([ConnectionError("gone"), {"color": "blue"}], "ok", ["failed", "ok"]),
        ([ValueError("odd")], "failed", ["failed"]),
        ([""], "empty", ["empty", "empty"]),
        ([AIMessage('{"color": "blue"}')], "ok", ["ok"]),
        ([lambda question: {"color": "grey"}], "ok", ["ok"]),
    ],
)
def test_every_ending_is_taken_for_what_it_is(
    replies: list[Any], status: str, calls: list[str]
) -> None:
    with scripted(*replies):
        reply = put(kind=Colour)
    assert reply.status == status and [call.status for call in reply.calls] == calls


def test_a_refusal_says_why_and_answers_cost_what_is_told() -> None:
    with scripted(Refused(), "blue"):
        assert put().status == "refused"
        (call,) = put().calls
    assert (call.input_tokens, call.output_tokens) == (INPUT_TOKENS, OUTPUT_TOKENS)


def test_a_bug_ends_the_run() -> None:
    with scripted(KeyError("a bug of the caller")), pytest.raises(KeyError):
        put()


def test_a_delay_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    with scripted(lambda _: After(2.5, After(1.0, lambda _: Refused()))):
        assert put().status == "refused"
    assert waited == [2.5, 1.0]


def test_questions_are_answered_at_the_same_time() -> None:
    """All have to have come before the first is answered."""
    all_here = threading.Barrier(8, timeout=30)

    def answer(question: Question) -> str:
        all_here.wait()
        return question.model

    names = [f"m{number}" for number in range(8)]
    with scripted(answer) as asked, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda name: put(name).value, names)) == [
            Text(text=name) for name in names
        ]
    assert sorted(question.model for question in asked) == names


def test_blocks_are_nested_and_leave_nothing_behind() -> None:
    with scripted("outer"):
        with scripted("inner", sees=False):
            assert texts("a") == ["inner"]
            assert not registry.provider_of("scripted:a").sees
        assert texts("a") == ["outer"]
        assert registry.provider_of("scripted:a").sees
        kept = registry.load("scripted:a")
    with pytest.raises(SettingsError, match="no language-model provider 'scripted'"):
        registry.provider_of("scripted:a")
    with pytest.raises(RuntimeError, match="scripted:a was asked outside of"):
        ask(kept, PROMPT, Text, max_tokens=5)


def test_blocks_may_end_in_any_order() -> None:
    first, second = scripted("first"), scripted("second")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert texts("a") == ["second"]
    second.__exit__(None, None, None)
    assert "scripted" not in registry.PROVIDERS


def test_every_thread_may_open_a_block() -> None:
    all_open = threading.Barrier(4, timeout=30)

    def one(number: int) -> str:
        with scripted("blue"):
            all_open.wait()
            (text,) = texts(f"thread{number}")
        return text

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(4))) == ["blue"] * 4
    assert "scripted" not in registry.PROVIDERS


async def asynchronous(question: Question) -> str:
    return question.model


WRONG = [
    ["a", "b"],
    5,
    b"x",
    ("a", "b"),
    asynchronous,
    fault(429),
    TimeoutError,
    Refused,
    After(1, 5),
]


@pytest.mark.parametrize("reply", WRONG)
def test_what_is_no_reply_is_refused_where_the_block_is_made(reply: Any) -> None:
    with pytest.raises(TypeError, match="is no reply; a reply is None, a function"):
        scripted(reply).__enter__()
    if not isinstance(reply, list):  # several replies of one model
        with pytest.raises(TypeError, match="is no reply"):
            scripted(models={"a": reply}).__enter__()
    with scripted(lambda _: reply), pytest.raises(TypeError, match="is no reply"):
        put()


def settings(**options: Any) -> Settings:
    return with_scripted_models("starter", **options).with_roles(
        dict.fromkeys(("detector", "reader", "segmenter"))
    )


def test_every_model_of_a_stack_is_played_and_its_tools_stay() -> None:
    given = with_scripted_models("cloud", quorum=1)
    roles = given.roles
    assert roles.committee == tuple(
        f"scripted:member{number}" for number in range(1, len(roles.committee) + 1)
    )
    before = Settings.load("cloud").roles
    assert roles.voter == "scripted:voter" and roles.segmenter == before.segmenter
    assert given.options.cache == "off" and given.options.quorum == 1


@pytest.mark.extra
def test_a_whole_graph_runs_in_every_way_it_can_be_asked() -> None:
    with scripted() as asked:
        graph = build_graph(settings())
        sample = {"text": TEXT}
        one = graph.invoke(sample)
        assert {question.model for question in asked} >= {"member1", "expander"}
        every = [*graph.batch([sample] * 3), asyncio.run(graph.ainvoke(sample))]
    names = [[entity["text"] for entity in result["entities"]] for result in (one, *every)]
    assert names == [["Grace Hopper", "US Navy"]] * 5 and one["warnings"] == []


@pytest.mark.extra
def test_a_committee_that_does_not_answer_leaves_a_warning() -> None:
    silent = {f"member{number}": Refused() for number in (1, 2, 3)}
    with scripted(models=silent):
        result = build_graph(settings()).invoke({"text": TEXT})
    assert any("declined" in warning["message"] for warning in result["warnings"])


@pytest.mark.extra
def test_answers_are_kept_where_the_settings_say(tmp_path: Path) -> None:
    given = settings(cache="use", cache_folder=tmp_path / "answers")
    with scripted() as asked:
        build_graph(given).invoke({"text": TEXT})
        first = len(asked)
        build_graph(given).invoke({"text": TEXT})
    assert first == len(asked) > 0


def test_a_model_that_hears_and_watches_keeps_what_it_was_sent() -> None:
    sound, film = recording(b"RIFF", 1.0), clip(b"ftyp", 1.0)
    spec = "scripted:a"
    with scripted(hears=True, watches=True) as asked:
        assert registry.hears(spec) and registry.watches(spec)
        reply = ask(registry.load(spec), PROMPT, Colour, max_tokens=50, images=[film, sound])
        assert reply.status == "ok"
    with scripted():
        assert not registry.hears(spec) and not registry.watches(spec)
    assert (asked[0].sounds, asked[0].clips, asked[0].images) == ((b"RIFF",), (b"ftyp",), ())
