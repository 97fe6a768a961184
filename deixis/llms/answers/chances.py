"""How sure a model was of what it chose, read from the probabilities of its tokens."""

import json
import math
import re
from bisect import bisect_right
from collections.abc import Generator, Sequence
from itertools import accumulate
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter

Chances = dict[str, dict[str, float]]
"""Place in a reply (``e1/visible``, ``items/0/kind``) to option to probability."""

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"\s*")
_Path = tuple[str | int, ...]


class _Alternative(BaseModel):
    token: str
    logprob: float = Field(le=0.1, allow_inf_nan=False)  # rounding may go a little above 0


class _Token(_Alternative):
    top_logprobs: list[_Alternative] = []


_TOKENS = TypeAdapter(list[_Token])


def chances(text: str, tokens: Any, schema: dict[str, Any]) -> Chances:
    """Return the probabilities of the options at every closed choice of a JSON reply.

    With ``a`` running through the token in which the value begins and its alternatives, as far
    as they write the same before the value, the probability of option ``o`` is::

        p(o) = s(o) / sum of s over all options,  s(o) = sum of exp(logprob(a)), a begins o alone

    If what was written begins several options (``un`` of ``unclear`` and ``unknown``), those of
    them get ``s`` from the next token in the same way, times the probability of what was written
    till there. An option that no alternative begins is not there: it is less likely than all
    that were listed. A choice is left out if another alternative begins several options; if the
    token written alone begins one and is not among those listed (a grammar forced it) or alone
    in the list, for then nothing is known of the others; and if anything is odd.

    Args:
        text: the reply, the JSON alone or with other text around it.
        tokens: its tokens with their alternatives: ``[{"token", "logprob" (natural),
            "top_logprobs": [{"token", "logprob"}, ...]}, ...]``, or objects with these
            attributes. What is of another shape, or does not give the text when joined (as when
            a character is split over tokens), is as if there were none.
        schema: the JSON schema of the reply, as pydantic writes it. A choice is a string with
            ``enum`` or ``const``, of two options or more.

    Returns:
        The choices for which there are probabilities; each sums to 1.
    """
    try:
        steps = _TOKENS.validate_python(tokens, from_attributes=True)
        starts = list(accumulate((len(step.token) for step in steps), initial=0))
        whole = "".join(step.token for step in steps)
        begin = whole.rindex(text.strip()) + text.strip().index("{")
        _DECODER.raw_decode(whole, begin)  # what follows need not tell JSON from other text
        choices = {}
        for path, place in _strings(whole, begin, ()):
            options = _options(schema, path)
            if len(options) > 1:
                number = bisect_right(starts, place) - 1
                shares = _shares(steps[number:], place - starts[number], options)
                choices["/".join(map(str, path))] = shares
    except (ValueError, RecursionError):
        return {}
    return {place: shares for place, shares in choices.items() if shares}


def _shares(steps: Sequence[_Token], before: int, options: Sequence[str]) -> dict[str, float]:
    """Return the probabilities of a value's options, {} if they cannot be told.

    Args:
        steps: the tokens from that on in which the value begins.
        before: characters of the first token that stand before the value.
        options: the values that it may have.
    """
    endings = {option: json.dumps(option, ensure_ascii=False)[1:] for option in options}
    weights: dict[str, float] = {}
    written: list[str] = []  # what the token begins that was written
    done, led_here = "", 1.0
    for step in steps:
        head = step.token[:before]
        listed = {alternative.token: alternative.logprob for alternative in step.top_logprobs}
        for token, logprob in {**listed, step.token: step.logprob}.items():
            if not token.startswith(head) or token == head:
                continue
            begun = done + token[before:]
            fits = [
                o for o, end in endings.items() if end.startswith(begun) or begun.startswith(end)
            ]
            if len(fits) == 1:
                weights[fits[0]] = weights.get(fits[0], 0.0) + led_here * math.exp(logprob)
            elif fits and token != step.token:
                return {}
            if token == step.token:
                written = fits
        if len(written) < 2:
            total = sum(weights.values())
            known = len(weights) > 1 or (step.token in listed and len(listed) > 1)
            return {o: s / total for o, s in weights.items()} if written and known and total else {}
        done, led_here, before = done + step.token[before:], led_here * math.exp(step.logprob), 0
    return {}


def _strings(text: str, at: int, path: _Path) -> Generator[tuple[_Path, int], None, int]:
    """Yield where the strings in the JSON value at `at` begin, quote excluded; return its end."""
    if text[at] not in "{[":
        if text[at] == '"':
            yield path, at + 1
        return _DECODER.raw_decode(text, at)[1]
    named, number = text[at] == "{", 0
    at = _after_space(text, at + 1)
    while text[at] not in "}]":
        key: str | int = number
        if named:
            key, at = _DECODER.raw_decode(text, at)
            at = _after_space(text, _after_space(text, at) + 1)  # the colon
        at = yield from _strings(text, at, (*path, key))
        at = _after_space(text, at)
        if text[at] == ",":
            at = _after_space(text, at + 1)
        number += 1
    return at + 1


def _after_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    assert space is not None, "no space is space too"
    return space.end()


def _options(schema: dict[str, Any], path: _Path) -> list[str]:
    """Return the strings that a place of the reply may hold; none if it may hold any."""
    nodes = _branches(schema, schema)
    for key in path:
        below = [
            node.get("items")
            if isinstance(key, int)
            else node.get("properties", {}).get(key, node.get("additionalProperties"))
            for node in nodes
        ]
        nodes = [n for child in below if isinstance(child, dict) for n in _branches(child, schema)]
    options: dict[str, None] = {}
    for node in nodes:
        if node.get("type", "string") == "string":
            if "enum" not in node and "const" not in node:
                return []
            allowed = node["enum"] if "enum" in node else [node["const"]]
            options |= dict.fromkeys(value for value in allowed if isinstance(value, str))
    return list(options)


def _branches(node: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a schema stands for, or each of several things that it may stand for."""
    if "$ref" in node:
        return _branches(schema["$defs"][node["$ref"].rpartition("/")[2]], schema)
    several = node.get("anyOf", node.get("oneOf"))
    if several is None:
        return [node]
    return [branch for choice in several for branch in _branches(choice, schema)]
