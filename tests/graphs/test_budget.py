"""What a run may cost, what it did cost, and the replies that it was paid for."""

import json
import re
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from deixis import Extraction, Settings, build_graph
from deixis.agents.context.toolbox import MOST_KEPT
from deixis.errors import SettingsError
from deixis.settings import Budget, Limit, Price
from deixis.testing import fill

pytestmark = pytest.mark.slow

TEXT = "Grace Hopper of the US Navy taught at Harvard University"
OTHER = "Bill Clinton met Eileen Collins in Houston"
USED_UP = re.compile(r"the budget of \d+ (calls|tokens) is used up")


class Cast:
    """Models that answer at once, each member with words of its own; `said` overrules."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.said: dict[str, list[Any]] = {}

    def __call__(self, name: str, _messages: Any, options: dict[str, Any]) -> Any:
        self.asked.append(name)
        said = self.said.get(name)
        if said:
            reply = said.pop(0)
            return reply(options["json_schema"]) if callable(reply) else reply
        return self.right(name, options["json_schema"])

    def right(self, name: str, schema: dict[str, Any]) -> str:
        return json.dumps(fill(schema, f"words of {name}"))


@pytest.fixture
def cast(scripted: Any, monkeypatch: pytest.MonkeyPatch) -> Cast:
    monkeypatch.setattr("deixis.llms.structured._PAUSES", (0.0, 0.0))
    made = Cast()
    scripted(made)
    return made


@pytest.fixture
def graph_with(cast: Cast) -> Callable[..., Any]:
    """Return ``graph_with(committee, **options)``: three members who always disagree, or others."""

    def make(committee: str = "abc", **options: Any) -> Any:
        stack = Settings.load().with_roles(
            {
                "committee": [f"scripted:{name}" for name in committee],
                **{role: f"scripted:{role}" for role in ("voter", "expander", "templater")},
                **dict.fromkeys(("detector", "reader", "segmenter")),
            }
        )
        return build_graph(
            stack.model_copy(update={"options": stack.options.model_copy(update=options)})
        )

    return make


def total(outs: list[dict[str, Any]], field: str) -> float:
    return sum(usage[field] for out in outs for usage in out["usage"])


def spent(out: dict[str, Any]) -> list[str]:
    return [each["message"] for each in out["warnings"] if USED_UP.search(each["message"])]


@pytest.mark.extra
@pytest.mark.parametrize("calls", range(6))
def test_no_more_is_asked_than_the_budget_and_a_result_comes_anyway(
    graph_with: Any, cast: Cast, calls: int
) -> None:
    """Three members, the voter and the expander: five calls."""
    graph = graph_with(budget=Budget(calls=calls))
    first = graph.invoke({"text": TEXT})
    assert len(cast.asked) == total([first], "calls") == calls
    second = graph.invoke({"text": OTHER})
    assert len(cast.asked) == calls, "nothing more is asked of whomever"
    assert total([second], "calls") == 0
    for out in (first, second):
        Extraction.model_validate(out)
        assert len(out["entities"]) == 3
        assert all(f"the budget of {calls} calls" in each for each in spent(out))
    assert bool(spent(first)) is (calls < 5) and spent(second)


@pytest.mark.extra
def test_without_the_voter_the_plurality_decides(graph_with: Any, cast: Cast) -> None:
    cast.said = {"b": [lambda schema: cast.right("a", schema)]}
    out = graph_with(budget=Budget(calls=3)).invoke({"text": TEXT})
    assert sorted(cast.asked) == ["a", "b", "c"]
    for entity in out["entities"]:
        facts = entity["knowledge"]["attributes"]
        assert facts and "words of a" in {fact["value"] for fact in facts}
        (line,) = {
            line
            for made in entity["decisions"]
            if made["outcome"] == "words of a"
            for line in made["evidence"]
            if "voter" in line
        }
        assert line == "the voter gave no answer (budget); plurality, a tie is unknown"


@pytest.mark.extra
def test_tokens_stop_the_next_call(graph_with: Any, cast: Cast) -> None:
    out = graph_with("a", budget=Budget(tokens=10)).invoke({"text": TEXT})
    assert cast.asked == ["a"], "which took the ten tokens"
    assert total([out], "input_tokens") + total([out], "output_tokens") == 10
    assert spent(out) == [
        "expander scripted:expander gave no answer (budget): the budget of 10 tokens is used up"
    ]


@pytest.mark.extra
def test_what_is_kept_costs_no_budget(graph_with: Any, cast: Cast, facts: Any) -> None:
    first = graph_with().invoke({"text": TEXT})
    cast.asked.clear()
    graph = graph_with(budget=Budget(calls=1))
    for _ in range(3):
        assert facts(graph.invoke({"text": TEXT})) == facts(first)
    assert graph.invoke({"text": OTHER})["warnings"] and len(cast.asked) == 1
    assert facts(graph.invoke({"text": TEXT})) == facts(first), "also when it is used up"


@pytest.mark.extra
def test_roles_swapped_for_a_call_spend_the_same_budget(graph_with: Any, cast: Cast) -> None:
    graph = graph_with("a", budget=Budget(calls=3))
    graph.invoke({"text": TEXT}, context={"expander": "scripted:x"})
    graph.invoke({"text": OTHER}, context={"expander": "scripted:y"})
    out = graph.invoke({"text": f"{TEXT}!"}, context={"committee": ["scripted:z"]})
    assert cast.asked == ["a", "x", "a"]
    assert len(spent(out)) == 2, "the member and the expander"


@pytest.mark.extra
def test_samples_at_once_share_the_budget(graph_with: Any, cast: Cast) -> None:
    posts: list[Any] = [{"text": f"{TEXT} {'again ' * number}"} for number in range(8)]
    outs = graph_with(budget=Budget(calls=7)).batch(posts, {"max_concurrency": 8})
    assert len(cast.asked) == total(outs, "calls") == 7
    assert all(len(out["entities"]) == 3 for out in outs)


@pytest.mark.extra
def test_tries_count(graph_with: Any, cast: Cast) -> None:
    cast.said = {"a": [ConnectionError("gone")] * 9}
    out = graph_with("a", budget=Budget(calls=2)).invoke({"text": TEXT})
    assert cast.asked == ["a", "a"] and total([out], "failed") == 2
    assert total([out], "retries") == 1


@pytest.mark.extra("starter")
@pytest.mark.parametrize(("limits", "at_once"), [({}, 2), ({"scripted": Limit(concurrency=1)}, 1)])
def test_graphs_of_one_process_wait_at_one_limiter(
    graph_with: Any, cast: Cast, limits: dict[str, Limit], at_once: int
) -> None:
    """Two graphs ask one model: both get in at once, unless the provider takes but one."""
    both, met = threading.Barrier(2), []

    def wait(schema: dict[str, Any]) -> str:
        try:
            both.wait(5 if at_once == 2 else 0.2)
            met.append(2)
        except threading.BrokenBarrierError:
            met.append(1)
        return cast.right("a", schema)

    cast.said = {"a": [wait, wait]}
    graphs = [graph_with("a", limits=limits) for _ in range(2)]
    threads = [
        threading.Thread(target=graph.invoke, args=({"text": text},))
        for graph, text in zip(graphs, (TEXT, OTHER), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert met == [at_once] * 2


@pytest.mark.extra
def test_prices_make_a_cost(graph_with: Any, cast: Cast) -> None:
    """Seven tokens in and three out a call, in millionths; the longest name of a model counts."""
    prices = {
        "scripted": Price(input=1, output=2),
        "scripted:a": Price(input=10, output=0),
        "scripted:exp": Price(input=99, output=99),
    }
    cast.said = {"a": ["no JSON"]}
    graph = graph_with("a", prices=prices)
    costs = {each["role"]: each["cost"] for each in graph.invoke({"text": TEXT})["usage"]}
    assert costs == pytest.approx({"committee": 2 * 70e-6, "expander": 13e-6})
    again = graph.invoke({"text": TEXT})
    assert {each["cost"] for each in again["usage"]} == {0.0}
    unpriced = graph_with("a", prices={"openai": Price(input=1, output=2)}).invoke({"text": OTHER})
    assert {each["cost"] for each in unpriced["usage"]} == {None}


@pytest.mark.parametrize("option", ["limits", "prices"])
def test_a_limit_of_nobody_is_told_before_anything_is_asked(graph_with: Any, option: str) -> None:
    value = {"limits": Limit(), "prices": Price(input=1, output=1)}[option]
    with pytest.raises(SettingsError, match=rf"options.{option}: .*did you mean 'scripted'\?"):
        graph_with(**{option: {"scriptd": value}})


@pytest.mark.extra
def test_a_member_that_does_not_answer_in_time_abstains(graph_with: Any, cast: Cast) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        late = f"ollama:late?base_url={url}&timeout=0.1"
        out = graph_with().invoke(
            {"text": TEXT}, context={"committee": ["scripted:a", late, "scripted:c"]}
        )
    (warning,) = out["warnings"]
    assert warning["message"].startswith(f"committee {late} gave no answer (failed): ReadTimeout")
    assert {each["model"]: each["failed"] for each in out["usage"]}[late] == 3
    assert all(entity["knowledge"]["attributes"] for entity in out["entities"])
    evidence = [line for made in out["entities"][0]["decisions"] for line in made["evidence"]]
    assert any(line.startswith(f"m2 ({late}) abstained: failed") for line in evidence)


def message(text: str, reason: str, **extra: Any) -> AIMessage:
    return AIMessage(text, response_metadata={"finish_reason": reason}, additional_kwargs=extra)


@pytest.mark.extra
def test_what_models_said_is_in_the_result_word_for_word(graph_with: Any, cast: Cast) -> None:
    fenced: list[str] = []

    def in_a_fence(schema: dict[str, Any]) -> str:
        fenced.append(f"Sure! \n```json\n{cast.right('a', schema)}\n```\n Bye \t🚢")
        return fenced[-1]

    cut, no = message('{"e1": {"gen', "length"), message("Never", "stop", refusal="I will not")
    cast.said = {"a": ["prose", in_a_fence], "b": [cut, cut], "c": [no], "expander": [in_a_fence]}
    out = graph_with().invoke({"text": TEXT})
    said = [(r["id"], r["status"], r["finish_reason"], r["text"]) for r in out["replies"]]
    assert said == [
        ("consult/1/1", "invalid", "stop", "prose"),
        ("consult/1/2", "ok", "stop", fenced[0]),
        ("consult/2/1", "truncated", "length", '{"e1": {"gen'),
        ("consult/2/2", "truncated", "length", '{"e1": {"gen'),
        ("consult/3/1", "refused", "stop", "Never"),
        ("expand/1/1", "ok", "stop", fenced[1]),
    ]
    asked = [(r["role"], r["model"], r["prompt"].partition(" ")[0]) for r in out["replies"]]
    members = [("committee", f"scripted:{name}", "consult") for name in "aabbc"]
    assert asked == [*members, ("expander", "scripted:expander", "expand")]


@pytest.mark.extra
def test_kept_replies_are_those_that_were_said(graph_with: Any, cast: Cast, facts: Any) -> None:
    odd: list[str] = []

    def oddly(schema: dict[str, Any]) -> str:
        odd.append(f" \n{json.dumps(json.loads(cast.right('a', schema)), indent=3)}\r\n\x00é🚢")
        return odd[-1]

    cast.said = {name: [oddly] for name in ("a", "voter", "expander")}
    first = graph_with().invoke({"text": TEXT})
    assert sorted(each["text"] for each in first["replies"] if each["text"] in odd) == sorted(odd)
    assert len(odd) == 3
    for mode in ("use", "replay"):
        again = graph_with(cache=mode).invoke({"text": TEXT})
        assert facts(again) == facts(first)
    assert len(cast.asked) == 5


@pytest.mark.extra
def test_decisions_name_replies_that_are_there(graph_with: Any, cast: Cast) -> None:
    no = message("", "stop", refusal="no")
    for said in ({}, {"a": ["prose"]}, {"b": [no]}, {"a": [no], "b": [no]}, {"voter": [no]}):
        cast.said = {name: list(replies) for name, replies in said.items()}
        out = graph_with(cache="off", quorum=2).invoke({"text": TEXT})
        ids = [reply["id"] for reply in out["replies"]]
        assert ids == sorted(set(ids)), "each once, and in order"
        assert all(re.fullmatch(r"(consult|vote|expand)/[123]/[12]", each) for each in ids)
        decisions = [made for entity in out["entities"] for made in entity["decisions"]]
        assert {each for made in decisions for each in made["replies"]} == set(ids)
        by_vote = [made for made in decisions if made["step"] == "vote"]
        consulted = {each for each in ids if each.startswith("consult/")}
        assert by_vote and all(consulted <= set(made["replies"]) for made in by_vote)


@pytest.mark.extra
def test_a_long_reply_is_cut(graph_with: Any, cast: Cast) -> None:
    long: list[str] = []

    def at_length(schema: dict[str, Any]) -> str:
        long.append(cast.right("a", schema) + "\n" + "la " * MOST_KEPT)
        return long[-1]

    cast.said = {"a": [at_length]}
    for _ in range(2):  # asked, and kept
        out = graph_with("a").invoke({"text": TEXT})
        assert out["replies"][0]["text"] == long[0][:MOST_KEPT]
        assert out["entities"][0]["knowledge"]["attributes"]
    assert cast.asked == ["a", "expander"]
