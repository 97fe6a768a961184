"""What of the text of a reply is the answer: without thoughts, prose and drafts around it."""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ValidationError

Answer = TypeVar("Answer", bound=BaseModel)

_NAMES = (
    r"(?:seed:)?think(?:ing)?|thoughts?|reasoning|reflection|scratchpad|analysis|planning|draft|cot"
    r"|inner_(?:monologue|thoughts?)"
)
_TO_MESSAGE = r"[^{\n<]*(?:<\|constrain\|>\w*)?<\|message\|>"
# What models write around their thoughts: tags; Magistral's, Kimi's, Cohere's and OpenThoughts'
# marks; the channels of gpt-oss, of which all but the final one are thoughts; Gemma's channel.
_MARK = re.compile(
    rf"(?P<opens><\s?(?:{_NAMES})(?:\s[^<>/]{{0,200}})?>|\[THINK\]|◁think▷|<\|start_thinking\|>|<\|begin_of_thought\|>"
    rf"|<\|channel>thought\b|<\|channel\|>(?!final)\w+{_TO_MESSAGE})"
    rf"|(?P<closes><\s?/\s?(?:{_NAMES})\s?>|\[/THINK\]|◁/think▷|<\|end_thinking\|>|<\|end_of_thought\|>"
    rf"|<channel\|>|<\|channel\|>final\b{_TO_MESSAGE})"
    r"|(?P<answers><answer>)",
    re.IGNORECASE,
)
_OPENS = re.compile(r"[<\[◁]")
"""How every mark begins: most replies have none, which this tells far faster."""
# The same channels from a server that drops the marks.
_BARE_CHANNELS = re.compile(r"\s*analysis(.*?)assistantfinal", re.DOTALL)
_BEGINS = re.compile(r"""\{\s*["'\u201c}]""")
_MOST_BROKEN = 1000  # objects; the time that each takes grows with the text
_DECODER = json.JSONDecoder(parse_int=float)  # Python's whole numbers have not so many digits


_PIECES = {"<|channel|>", "<|constrain|>", "<|message|>", "<|channel>"}


def is_mark(token: str) -> bool:
    """Whether a token tells thoughts from the answer, by itself or with what follows."""
    return token in _PIECES or _MARK.fullmatch(token) is not None


class Text(BaseModel):
    """The answer of a model that is not held to JSON, and what it thought aloud before it."""

    text: str
    thoughts: str = ""


class Parts(NamedTuple):
    """A reply in two: what the model thought, and what it answers.

    ``unfinished``: the last thoughts do not end; what stands before them may be an answer.
    """

    thoughts: str
    answer: str
    unfinished: bool = False


def parts(text: str) -> Parts:
    """Set the thoughts in a reply aside.

    An end without a beginning ends thoughts that the chat template has begun. What stands in a
    string of a JSON object is no mark.
    """
    if bare := _BARE_CHANNELS.match(text):
        return Parts(bare[1].strip(), text[bare.end() :].strip())
    marked = _OPENS.search(text) and _MARK.search(text)
    spans = list(_objects(text)) if marked else []
    thoughts: list[str] = []
    answers: list[str] = []
    thinking, at = False, 0
    for mark in _MARK.finditer(text) if marked else ():
        inside = bisect_right(spans, (mark.start(),)) - 1
        if inside >= 0 and mark.start() < spans[inside][1]:
            continue
        if mark["closes"]:
            thoughts += [*([] if thinking else answers), text[at : mark.start()]]
            answers = answers if thinking else []
            thinking, at = False, mark.end()
        elif mark["opens"] and not thinking:
            answers.append(text[at : mark.start()])
            thinking, at = True, mark.end()
        elif mark["answers"] and thinking:  # some forget to end their thoughts
            thoughts.append(text[at : mark.start()])
            thinking, at = False, mark.start()
    (thoughts if thinking else answers).append(text[at:])
    answer = "".join(answers).strip().removesuffix("<|return|>").removesuffix("<|end|>").strip()
    return Parts("\n".join(filter(None, map(str.strip, thoughts))), answer, thinking)


_schemas: WeakKeyDictionary[type[BaseModel], dict[str, Any]] = WeakKeyDictionary()
"""Schemas of answers as long as these live: one about a dispute is made for one sample alone."""


def schema_of(answer: type[BaseModel]) -> dict[str, Any] | None:
    """Return the JSON schema of an answer, not to be changed; None for `Text`."""
    if answer is Text:
        return None
    known = _schemas.get(answer)
    return known if known is not None else _schemas.setdefault(answer, answer.model_json_schema())


def read(text: str, answer: type[Answer]) -> Answer:
    """Read an object out of a reply, whatever stands around it.

    Thoughts are no part of it. Of several objects that fit, the last one is meant.

    Raises:
        ValidationError: none is the object asked for.
    """
    thoughts, reply, _ = parts(text)
    if answer is Text:
        return answer.model_validate({"text": reply, "thoughts": thoughts})
    wrong: ValidationError | None = None
    for start, end in reversed(list(_objects(reply))):
        try:
            return answer.model_validate_json(reply[start:end])
        except ValidationError as error:
            wrong = wrong or error
    if wrong is not None:
        raise wrong
    return answer.model_validate_json(reply[reply.find("{") :] if "{" in reply else reply)


def last_object(text: str) -> str:
    """Return the JSON object that answers, as it stands in a reply; "" if there is none."""
    reply = parts(text).answer
    return next((reply[start:end] for start, end in reversed(list(_objects(reply)))), "")


def _objects(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the JSON objects of a text begin and end, those within others excluded.

    None is yielded if the last one is broken or cut off: what stands before it was a draft.
    """
    spans: list[tuple[int, int]] = []
    after, end, broken, last = 0, len(text.rstrip()), 0, False
    while (begins := _BEGINS.search(text, after)) and broken < _MOST_BROKEN:
        try:
            after = _DECODER.raw_decode(text, begins.start())[1]
            spans.append((begins.start(), after))
            last = False
        except json.JSONDecodeError as error:
            if error.pos >= end or error.msg.startswith("Unterminated"):
                return
            after = max(begins.end(), error.pos)  # objects within a broken one are parts of it
            broken, last = broken + 1, True
        except RecursionError:
            return
    if not last:
        yield from spans
