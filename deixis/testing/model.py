"""A chat model that says what it is told to say: the provider ``scripted:NAME``."""

import base64
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from deixis.errors import SettingsError
from deixis.llms import registry
from deixis.settings import Settings, Spec
from deixis.testing.blocks import Blocks
from deixis.testing.replies import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    Cut,
    Question,
    Refused,
    Replies,
    Reply,
)

PROVIDER = "scripted"
_USAGE = {
    "input_tokens": INPUT_TOKENS,
    "output_tokens": OUTPUT_TOKENS,
    "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
}
_blocks = Blocks(registry.PROVIDERS)
"""They play scripts; of those that are open, the one that was opened last counts."""


class ScriptedChat(BaseChatModel):
    """Asks the innermost script, whenever it was made: registries keep models for ever."""

    name_in_spec: str

    @property
    def _llm_type(self) -> str:
        return PROVIDER

    def _generate(self, messages: list[BaseMessage], *_: Any, **options: Any) -> ChatResult:
        script: Replies | None = _blocks.now(PROVIDER)
        if script is None:
            raise RuntimeError(
                f"{PROVIDER}:{self.name_in_spec} was asked outside of `with scripted(...)`"
            )
        question = _question(self.name_in_spec, messages, options)
        reply = script.answer(question)
        if isinstance(reply, Exception):
            raise reply
        return ChatResult(generations=[ChatGeneration(message=_message(reply))])


@contextmanager
def scripted(
    *replies: Reply,
    models: Mapping[str, Reply] | None = None,
    prompts: Mapping[str, Reply] | None = None,
    sees: bool = True,
    hears: bool = False,
    watches: bool = False,
) -> Iterator[list[Question]]:
    """Play every model whose spec is ``scripted:NAME`` within a block.

    Any role takes such a spec, and any number of names. Blocks can be nested
    and can overlap; the one that was opened last counts, for all threads.

    Args:
        replies: answers in the order in which questions come, the last of them to all further
            questions; without any, each question is answered by what fits its schema. Committee
            members are asked at the same time: tell them apart by ``models``, or by a function.
            Beside strings, dictionaries, `Refused`, `Cut`, `After`, exceptions and functions, a
            whole ``AIMessage`` of LangChain is taken.
        models: answers by the name of the model; a list of them is given in order.
        prompts: answers by a piece of the prompt, where the model is not one of `models`.
        sees: whether these models may be shown pictures.
        hears: whether they may be sent sound.
        watches: whether they may be sent video.

    Raises:
        TypeError: a reply is of a kind that cannot be one.

    Yields:
        The questions, in the order in which they came.
    """
    # Looked up at each pause: whoever tests pauses puts another function there.
    script = Replies(replies, models, prompts, lambda seconds: time.sleep(seconds), AIMessage)
    every = ("",)  # it is a part of every name
    provider = registry.Provider(
        f"{__name__}:make",
        "",
        "",
        sees=sees,
        hears=every if hears else (),
        watches=every if watches else (),
    )
    with _blocks.playing(PROVIDER, provider, script):
        yield script.asked


def with_scripted_models(stack: Settings | str = "starter", **options: Any) -> Settings:
    """Return settings in which every language model is a scripted one, and nothing is cached.

    The models are called after their roles: ``scripted:voter``, ``scripted:expander``, and the
    members of the committee ``scripted:member1``, ``scripted:member2``, ... Tools stay.

    Args:
        stack: settings, or the name or the path of a stack.
        options: options to be changed besides, such as ``quorum``.
    """
    settings = Settings.load(stack)
    roles = settings.roles.model_dump()
    played: dict[str, Any] = {
        role: f"{PROVIDER}:{role}"
        for role, spec in roles.items()
        if isinstance(spec, str) and _is_model(spec)
    }
    numbers = range(1, len(settings.roles.committee) + 1)
    played["committee"] = [f"{PROVIDER}:member{number}" for number in numbers]
    return settings.with_roles(played).with_options(**{"cache": "off", **options})


def make(spec: Spec) -> tuple[BaseChatModel, Callable[..., Any]]:
    """Make a model for the registry."""
    model = ScriptedChat(name_in_spec=spec.name)
    return model, lambda schema, limit: model.bind(json_schema=schema, max_tokens=limit)


def _is_model(spec: str) -> bool:
    try:
        registry.provider_of(spec)
    except SettingsError:
        return False
    return True


def _question(name: str, messages: list[BaseMessage], options: dict[str, Any]) -> Question:
    system = [message for message in messages if message.type == "system"]
    user = [message for message in messages if message.type == "human"]
    blocks = user[0].content if user else ""
    return Question(
        model=name,
        system="".join(message.text for message in system),
        user=user[0].text if user else "",
        schema=options.get("json_schema"),
        max_tokens=options.get("max_tokens", 0),
        images=_of_kind(blocks, "image"),
        messages=tuple(messages),
        sounds=_of_kind(blocks, "audio"),
        clips=_of_kind(blocks, "video"),
    )


def _of_kind(blocks: Any, kind: str) -> tuple[bytes, ...]:
    return tuple(
        base64.b64decode(block["base64"])
        for block in blocks
        if isinstance(block, dict) and block["type"] == kind
    )


def _message(reply: Any) -> AIMessage:
    if isinstance(reply, AIMessage):
        return reply
    reason = {Cut: "length", Refused: "content_filter"}.get(type(reply), "stop")
    text = reply if isinstance(reply, str) else reply.text
    return AIMessage(text, usage_metadata=_USAGE, response_metadata={"finish_reason": reason})
