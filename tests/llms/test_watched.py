"""A model that nobody watches is asked past what LangChain prepares for watchers."""

from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from deixis.llms.watched import invoke

ASKED = [HumanMessage("What colour is the sky?")]


class Sky(BaseChatModel):
    """Says what it was told, and how its reply ended."""

    @property
    def _llm_type(self) -> str:
        return "sky"

    def _generate(self, messages: Any, stop: Any = None, **options: Any) -> ChatResult:
        message = AIMessage(f"{messages[-1].content} {stop} {options.get('limit')}", id="one")
        generation = ChatGeneration(message=message, generation_info={"finish_reason": "stop"})
        return ChatResult(generations=[generation], llm_output={"model_name": "sky"})


class OfItsOwn(Sky):
    """A wrapper that asks in its own way."""

    def invoke(self, *_: Any, **__: Any) -> AIMessage:
        return AIMessage("my way")


class Hears(BaseCallbackHandler):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        self.heard.append("start")


@pytest.mark.parametrize("options", [{}, {"limit": 3}, {"stop": ["."]}])
def test_the_reply_is_that_of_langchain(options: Any) -> None:
    bound = Sky().bind(**options)
    plain = bound.invoke(ASKED)
    assert plain.response_metadata == {"finish_reason": "stop", "model_name": "sky"}
    assert invoke(bound, Sky(), "sky", ASKED) == plain
    assert invoke(Sky(), Sky(), "sky", ASKED) == Sky().invoke(ASKED)


def test_what_a_wrapper_does_in_its_own_way_is_done() -> None:
    assert invoke(OfItsOwn().bind(limit=1), OfItsOwn(), "sky", ASKED).content == "my way"


def test_who_listens_to_the_model_itself_still_hears() -> None:
    ear = Hears()
    model = Sky(callbacks=[ear])
    invoke(model.bind(limit=1), model, "sky", ASKED)
    invoke(Sky().bind(limit=1).with_config(callbacks=[ear]), model, "sky", ASKED)
    assert ear.heard == ["start", "start"]
