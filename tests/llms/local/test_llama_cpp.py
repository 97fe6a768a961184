"""The embedded model itself: 135 million parameters, in this process."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from pydantic import BaseModel, ConfigDict

from deixis.errors import ModelCallError, ModelFileError, SettingsError
from deixis.llms import registry
from deixis.llms.local import llama_cpp
from deixis.llms.local.llama_cpp import EMBEDDED, LlamaCppChat
from deixis.llms.structured import ask
from deixis.prompts import Prompt
from deixis.weights.model_files import resolve

pytestmark = [pytest.mark.slow, pytest.mark.extra]

SPEC = "embedded:smollm2-135m"
WEIGHTS = EMBEDDED["smollm2-135m"]
SYSTEM = SystemMessage("You are brief.")


class Look(BaseModel):
    model_config = ConfigDict(extra="forbid")

    hair: Literal["black", "red", "grey"]
    tall: bool


class People(BaseModel):
    model_config = ConfigDict(extra="forbid")

    first: Look
    second: Look
    fine_type: Literal["politician", "sports_team", "unknown"]


PROMPT = Prompt("Describe people.", "Ann and Bob are at the beach.", "people", 1)


def test_it_answers_and_counts_tokens() -> None:
    reply = LlamaCppChat(weights=WEIGHTS, max_tokens=16).invoke([SYSTEM, HumanMessage("Say hello")])
    assert reply.text.strip()
    assert reply.usage_metadata is not None
    assert reply.usage_metadata["input_tokens"] > 5
    assert 0 < reply.usage_metadata["output_tokens"] <= 16
    assert reply.response_metadata["finish_reason"] in {"stop", "length"}


def test_the_probabilities_of_what_it_chose_come_with_the_call() -> None:
    assert ask(registry.load(SPEC), PROMPT, People, max_tokens=80).calls[0].chances == {}
    reply = ask(registry.load(f"{SPEC}?logprobs=true"), PROMPT, People, max_tokens=80)
    chances = reply.calls[0].chances
    assert chances, "of one choice at least"
    assert set(chances) <= {"first/hair", "second/hair", "fine_type"}
    assert all(sum(shares.values()) == pytest.approx(1.0) for shares in chances.values())


def test_the_same_seed_says_the_same_and_another_seed_something_else() -> None:
    def say(seed: int) -> str:
        model = LlamaCppChat(weights=WEIGHTS, temperature=1.0, seed=seed, max_tokens=16)
        return model.invoke([HumanMessage("Tell me a story")]).text

    say(1)  # from here on the prompt is in llama.cpp's memory, each time alike
    first = say(1)
    assert say(1) == first
    assert say(2) != first


def test_what_a_committee_is_asked_is_evaluated_once_for_all_members() -> None:
    prompt = "Say how a tall tower looks. " * 20

    def evaluated(seed: int, text: str = prompt) -> int:
        model = LlamaCppChat(weights=WEIGHTS, temperature=1.0, seed=seed, max_tokens=4)
        usage = model.invoke([HumanMessage(text)]).usage_metadata
        assert usage is not None
        return usage["input_tokens"] - usage["input_token_details"]["cache_read"]

    assert evaluated(1) > 100
    assert evaluated(2) == evaluated(3) == 1, "the last token is evaluated for its successors"
    assert evaluated(1, "Something else. " * 40) > 100
    assert evaluated(1) == 1, "also if another prompt came between"
    assert evaluated(1, f"{prompt} And another?") < 20, "what a prompt begins with counts alone"


def test_a_reply_that_reaches_the_limit_says_so() -> None:
    reply = LlamaCppChat(weights=WEIGHTS).invoke(
        [HumanMessage("Count from 1 to 100")], max_tokens=4
    )
    assert reply.response_metadata["finish_reason"] == "length"
    assert reply.usage_metadata is not None and reply.usage_metadata["output_tokens"] == 4


def test_a_prompt_longer_than_the_context_is_a_failed_call() -> None:
    long = Prompt("", "word " * 400, "long", 1)
    spec = f"{SPEC}?context=64"
    with pytest.raises(ModelCallError, match="context"):
        registry.load(spec).model.invoke([HumanMessage(long.user)])
    reply = ask(registry.load(spec), long, People, max_tokens=20)
    assert reply.status == "failed" and "context" in reply.detail
    assert registry.load(spec).model.invoke("Hi", max_tokens=2).text, "it still answers"


@pytest.mark.parametrize("content", ["", "GGUF", "cut", "<html>not found</html>"])
def test_a_file_that_is_no_model_is_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "broken.gguf"
    with resolve(WEIGHTS).open("rb") as whole:
        path.write_bytes(whole.read(100_000) if content == "cut" else content.encode())
    with pytest.raises(ModelFileError, match=r"cannot load .*broken\.gguf; is it a whole GGUF"):
        LlamaCppChat(weights=str(path)).invoke("Hi")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"none\.gguf"):
        registry.load(f"gguf:{tmp_path}/none.gguf").model.invoke("Hi")


def test_a_path_to_weights_is_as_good_as_a_name() -> None:
    model = registry.load(f"gguf:{resolve(WEIGHTS)}?context=256").model
    assert model.invoke("Hi", max_tokens=2).text


def test_threads_load_the_weights_once_and_all_get_an_answer() -> None:
    llama_cpp._load.cache_clear()
    model = LlamaCppChat(weights=WEIGHTS, context=512, max_tokens=4)
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda i: model.invoke(f"Say {i}").text, range(4)))
    assert all(replies)
    assert llama_cpp._load.cache_info().misses == 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("temprature=0", "there is no option 'temprature' (did you mean 'temperature'?"),
        ("max_retries=3", "known: context, logprobs, max_tokens, mmproj, seed, temperature, th"),
        ("weights=x", "there is no option 'weights'"),
        ("temperature=warm", "option temperature: Input should be a valid number"),
        ("temperature=-1", "option temperature: Input should be greater than or equal to 0"),
        ("context=8", "option context: Input should be greater than or equal to 64"),
        ("threads=0", "option threads: "),
    ],
)
def test_a_wrong_option_is_told(query: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        registry.load(f"{SPEC}?{query}")
    assert said in str(caught.value)


def test_an_unknown_embedded_model_is_told_with_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"'smolm2' \(did you mean 'smollm2-135m'"):
        registry.load("embedded:smolm2")
