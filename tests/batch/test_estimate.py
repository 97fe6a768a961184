"""What a batch would cost, told before: near what it then takes, and nobody is asked for it."""

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from deixis import Settings
from deixis.batch.estimate import Estimate, estimate
from deixis.batch.reckoning import Beginnings, served
from deixis.batch.run import Batch
from deixis.batch.typical import typical
from deixis.errors import DataError, InputError
from deixis.llms.cache.llm_cache import LlmCache
from deixis.llms.schemas import for_openai
from deixis.llms.token_count import about_tokens
from deixis.prompts import Prompt, find
from deixis.testing import fill

NAMES = ("Ann Miller", "Bob Smith", "Grace Hopper", "Harvard University", "London", "NASA")
WORDS = ("blue", "dark green", "a long coat", "short hair", "round", "of wood", "very tall indeed")


class Answers:
    """Models that answer at various lengths, and say what it took."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def __call__(self, name: str, messages: list[Any], options: dict[str, Any]) -> AIMessage:
        self.asked[name] += 1
        schema = options["json_schema"]
        prompt = "\n".join(message.text for message in messages)
        chance = random.Random(f"{name}{prompt}")
        said = fill(schema)
        for entity, own in said.items() if isinstance(said, dict) else ():
            if isinstance(own, str):
                said[entity] = " ".join(chance.choices(WORDS, k=3))
                continue
            part = schema["properties"][entity]["$ref"].rpartition("/")[2]
            parts = schema["$defs"][part]["properties"]
            for key, value in own.items():
                values = parts[key].get("enum") or ([value] if "const" in parts[key] else WORDS)
                if key == "look":
                    own[key] = " ".join(chance.choices(WORDS, k=4))
                elif chance.random() < 0.3:
                    own[key] = chance.choice(values)
        text = json.dumps(said)
        given = about_tokens(prompt) + about_tokens(json.dumps(for_openai(schema)))
        written = about_tokens(text)
        usage = {"input_tokens": given, "output_tokens": written, "total_tokens": given + written}
        return AIMessage(text, usage_metadata=usage, response_metadata={"finish_reason": "stop"})


@pytest.fixture
def answers(scripted: Any) -> Answers:
    models = Answers()
    scripted(models)
    return models


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    chance = random.Random(3)
    lines = []
    for number in range(90):
        names = chance.sample(NAMES, chance.randint(1, 3))
        text = f"{' and '.join(names)} seen today, number {number} of many"
        lines.append(json.dumps({"id": f"r{number}", "text": text}))
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def settings(tmp_path: Path) -> Any:
    def make(**options: Any) -> Settings:
        model = "scripted:voter"
        members = [f"scripted:m{number}" for number in (1, 2, 3)]
        roles = {"recognizer": "crf", "committee": members, "voter": model, "expander": model}
        folders = {"cache_folder": tmp_path / "answers", "templates": tmp_path / "templates"}
        return Settings.model_validate(
            {"name": "test", "roles": roles, "options": {**folders, **options}}
        )

    return make


def taken(out: Path) -> Counter[str]:
    sums: Counter[str] = Counter()
    for line in out.read_text(encoding="utf-8").splitlines():
        for used in json.loads(line)["usage"]:
            sums.update({name: used[name] for name in ("calls", "input_tokens", "output_tokens")})
    return sums


@pytest.mark.extra("starter")
@pytest.mark.parametrize("options", [{}, {"committee": "until_agreed"}])
def test_it_is_within_a_tenth_of_what_a_run_takes(
    answers: Answers, rows: Path, settings: Any, tmp_path: Path, options: dict[str, Any]
) -> None:
    told = estimate(settings(**options), rows, None, 30)
    assert not answers.asked and not (tmp_path / "answers").exists()
    out = tmp_path / "out.jsonl"
    Batch(settings(**options), rows, out, concurrency=4).run()
    sums = taken(out)
    tokens = sums["input_tokens"] + sums["output_tokens"]
    said = told.total("input_tokens") + told.total("output_tokens")
    assert said == pytest.approx(tokens, rel=0.1)
    assert told.total("calls") == pytest.approx(sums["calls"], rel=0.1)
    assert told.margin is not None and 0 < told.margin < 0.2
    assert (told.rows, told.sampled, told.failed, told.unfit) == (90, 30, 0, 0)


@pytest.mark.extra("starter")
def test_what_is_in_the_cache_is_not_counted_as_asked(
    answers: Answers, rows: Path, settings: Any, tmp_path: Path
) -> None:
    Batch(settings(), rows, tmp_path / "out.jsonl").run()
    kept = LlmCache(tmp_path / "answers")
    before = (sorted(each.key for each in kept.entries()), sorted(tmp_path.glob("*")))
    told = estimate(settings(), rows, None, 90)
    assert told.total("calls") == 0 and told.total("cached") > 200 and told.margin == 0.0
    assert told.cost is None and told.begun == 0.0
    again = estimate(settings(cache="refresh"), rows, None, 90)
    assert again.total("calls") > 200
    after = (sorted(each.key for each in kept.entries()), sorted(tmp_path.glob("*")))
    assert after == before, "nothing is written"


@pytest.mark.extra("starter")
def test_what_is_finished_is_left_out(
    answers: Answers, rows: Path, settings: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    Batch(settings(), rows, out, limit=70).run()
    assert estimate(settings(), rows, out, 5).rows == 20
    assert estimate(settings(), rows, tmp_path / "new.jsonl", 5).rows == 90
    with pytest.raises(InputError, match="no row that is still to be run"):
        estimate(settings(), rows, out, 5, limit=70)
    out.write_text("{}\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 1: no result of a batch"):
        estimate(settings(), rows, out, 5)


@pytest.mark.extra("starter")
def test_prices_batches_and_limits(answers: Answers, rows: Path, settings: Any) -> None:
    members = ["openai:gpt-5-mini", "scripted:m2", "scripted:m3"]
    priced = settings(
        prices={"openai": {"input": 1, "output": 8}, "scripted:voter": {"input": 2, "output": 2}},
        limits={
            "openai": {"requests_per_minute": 10},
            "scripted": {"requests_per_minute": 1_000_000, "tokens_per_minute": 1_000_000},
        },
    ).with_roles({"committee": members})
    told = estimate(priced, rows, None, 30)
    parts = {(part.role, part.model): part for part in told.parts}
    openai = parts["committee", "openai:gpt-5-mini"]
    assert openai.cost == pytest.approx((openai.input_tokens + 8 * openai.output_tokens) / 1e6)
    assert openai.batched == pytest.approx(openai.cost / 2)
    voter = parts["voter", "scripted:voter"]
    assert voter.batched is None and voter.cost
    assert parts["committee", "scripted:m2"].cost is None
    assert told.batched == pytest.approx((told.cost or 0) - openai.cost / 2)
    assert told.limit == "openai: requests_per_minute"
    assert told.hours == pytest.approx(openai.calls / 10 / 60)
    assert 0.3 < told.begun < 1.0


@pytest.mark.extra("starter")
def test_nobody_needs_a_key_and_templates_are_not_written(
    answers: Answers, rows: Path, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    types = tmp_path / "types.yaml"
    types.write_text(
        "types:\n  - {name: SHIP, description: a ship, template: vessel, crf: OTHER}\n",
        encoding="utf-8",
    )
    stack = settings().model_copy(update={"types": str(types)})
    told = estimate(stack.with_roles({"templater": "openai:gpt-5-mini"}), rows, None, 5)
    assert [part.calls for part in told.parts if part.role == "templater"] == [1.0]
    assert not (tmp_path / "templates").exists() and told.unfit == 0


@pytest.mark.parametrize("graph", ["vkel", "e2e", "mmre", "muie", "riveg"])
def test_other_graphs_are_told_too(answers: Answers, rows: Path, settings: Any, graph: str) -> None:
    roles = dict.fromkeys(("vlm", "templater", "entailer"), "openai:gpt-5-mini")
    told = estimate(settings().with_roles(roles).with_graph(graph), rows, None, 3)
    assert told.total("calls") > 0 and told.failed == 0


def test_prompts_that_begin_alike_are_served_from_a_length_on() -> None:
    beginnings = Beginnings()
    assert [beginnings.add(each) for each in ("abcd", "abxy", "zz", "abxz")] == [
        "",
        "ab",
        "",
        "abx",
    ]
    assert served("openai:gpt-5-mini", 1023) == 0 and served("openai:gpt-5-mini", 1024) == 1024
    assert served("anthropic:claude-haiku-4-5", 5000) == 0


@pytest.mark.extra("starter")
def test_what_a_cache_of_prompts_serves_has_its_own_price(
    answers: Answers, rows: Path, settings: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "prompts"
    folder.mkdir()
    long = (
        find("consult", None)
        .read_text(encoding="utf-8")
        .replace("# System", f"# System\n{'Mind. ' * 700}")
    )
    (folder / "consult.md").write_text(long, encoding="utf-8")
    prices = {"openai": {"input": 1, "output": 8, "cached_input": 0.1}}
    model = "openai:gpt-5-mini"
    stack = settings(prices=prices, prompts=folder).with_roles(
        {"committee": [model] * 3, "voter": None, "expander": None}
    )
    part = estimate(stack, rows, None, 20).parts[0]
    served_share = part.cached_input_tokens / part.input_tokens
    assert served_share == pytest.approx(part.begun, abs=0.02)
    whole = (part.input_tokens + 8 * part.output_tokens) / 1e6
    assert part.batched == pytest.approx(whole / 2, rel=1e-4)
    assert part.cost == pytest.approx(whole - 0.9 * part.cached_input_tokens / 1e6, rel=1e-4)


def test_sums_without_parts() -> None:
    nothing = Estimate(3, 3)
    assert (nothing.begun, nothing.cost, nothing.batched) == (0.0, None, None)


def test_an_answer_is_the_same_each_time_and_members_differ_on_a_third() -> None:
    values = {f"a{i}": {"type": "string", "enum": [*map(str, range(50))]} for i in range(600)}
    schema = {"type": "object", "properties": values}
    prompt = Prompt("system", "<post>Ann Miller sings</post>", "consult", 1)
    said = [json.loads(typical(schema, prompt, who, [])) for who in ("a", "b", "c")]
    assert said[0] == json.loads(typical(schema, prompt, "a", []))
    alike = sum(len({own[name] for own in said}) == 1 for name in values)
    assert 0.55 < alike / len(values) < 0.68
