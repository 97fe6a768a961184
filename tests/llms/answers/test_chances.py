"""Probabilities of choices, from the tokens of a reply and their alternatives."""

import json
import math
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from deixis.llms.answers.chances import chances


class Verdict(BaseModel):
    visible: Literal["yes", "no", "unclear"]
    note: str = ""


class Verdicts(BaseModel):
    e1: Verdict
    kinds: list[Literal["person", "place"] | None] = []
    named: dict[str, Verdict] = {}
    age: Literal["old", "older", "young"] | None = None
    where: Literal["caf\N{LATIN SMALL LETTER E WITH ACUTE}", 'a "bar"'] | None = None
    open: Literal["yes", "no"] | str = ""
    sole: Literal["one"] = "one"


SCHEMA = Verdicts.model_json_schema()


def token(text: str, share: float = 1.0, **others: float) -> dict[str, Any]:
    """Return a token, listed first, with alternatives by their text."""
    listed = {text: share, **others}
    top = [{"token": each, "logprob": math.log(p)} for each, p in listed.items()]
    return {**top[0], "top_logprobs": top}


def found(*tokens: dict[str, Any], text: str | None = None) -> dict[str, dict[str, float]]:
    joined = "".join(each["token"] for each in tokens)
    return chances(joined if text is None else text, list(tokens), SCHEMA)


BEGIN, END = token('{"e1":{"visible":"'), token('"}}')
THREE = {"yes": 0.6, "no": 0.2, "unclear": 0.1}
WANTED = {"e1/visible": {"yes": 6 / 9, "no": 2 / 9, "unclear": 1 / 9}}


@pytest.mark.parametrize(
    "tokens",
    [
        pytest.param([BEGIN, token("yes", **THREE), END], id="whole words"),
        pytest.param(
            [
                token('{"e1":{"visible'),
                token('":"'),
                token("y", 0.6, n=0.2, unc=0.1),
                token("es"),
                END,
            ],
            id="pieces",
        ),
        pytest.param([BEGIN, token("y", 0.4, ye=0.2, no=0.2, u=0.1), token("es"), END], id="ways"),
        pytest.param(
            [
                token('{ "e1": {"visible":'),
                token(' "yes', 0.6, **{' "no': 0.2, ' "un': 0.1, '\n"no': 0.7, ' "': 0.5}),
                END,
            ],
            id="before the value",
        ),
        pytest.param(
            [BEGIN, token('yes"}}', 0.6, **{'no"': 0.2, 'unclear","note"': 0.1, "maybe": 0.1})],
            id="after the value",
        ),
        pytest.param(
            [token("Look:\n```json\n"), BEGIN, token("yes", **THREE), END, token("\n```\n")],
            id="code fence",
        ),
        pytest.param(
            [token(""), BEGIN, token("yes", **THREE), END, token("")], id="tokens without text"
        ),
    ],
)  # fmt: skip
def test_a_choice_has_the_probabilities_of_its_tokens(tokens: list[dict[str, Any]]) -> None:
    assert found(*tokens) == {"e1/visible": pytest.approx(WANTED["e1/visible"])}


def test_a_text_without_the_white_space_or_thoughts_around_it() -> None:
    text = '{"e1":{"visible":"yes"}}'
    thoughts = token(f"Is it {text}? It is. \n")
    tokens = [thoughts, BEGIN, token("yes", **THREE), END, token("\n\n")]
    for each in (text, f"\n{text} "):
        assert found(*tokens, text=each) == {"e1/visible": pytest.approx(WANTED["e1/visible"])}


def test_lists_and_keys_are_named_and_what_is_no_choice_is_not() -> None:
    tokens = [
        token('{"e1": {"note": "\\"visible\\": \\"no\\"", "visible": "'),
        token("no", 0.5, yes=0.25, unclear=0.25),
        token('"}, "kinds": [null, "'),
        token("place", 0.75, person=0.25),
        token('"], "named": {"a": {"visible": "'),
        token("yes", 0.9, no=0.1),
        token('"}}, "open": "'),
        token("yes", 0.9, no=0.1),
        token('", "sole": "'),
        token("one", 0.9, two=0.1),
        token('"}'),
    ]
    assert found(*tokens) == {
        "e1/visible": pytest.approx({"no": 0.5, "yes": 0.25, "unclear": 0.25}),
        "kinds/1": pytest.approx({"place": 0.75, "person": 0.25}),
        "named/a/visible": pytest.approx({"yes": 0.9, "no": 0.1}),
    }


@pytest.mark.parametrize(
    ("tokens", "wanted"),
    [
        # "old" may become "older": what follows tells.
        (
            [token("old", 0.8, young=0.2), token('"', 0.25, er=0.75)],
            {"young": 0.2, "old": 0.2, "older": 0.6},
        ),
        (
            [token("o", 0.8, y=0.2), token("ld"), token("er", 0.5, **{'"}': 0.5})],
            {"young": 0.2, "old": 0.4, "older": 0.4},
        ),
        # Nothing tells how "ol" would have gone on.
        ([token("y", 0.8, ol=0.2), token("oung")], None),
    ],
)
def test_options_that_begin_alike(
    tokens: list[dict[str, Any]], wanted: dict[str, float] | None
) -> None:
    text = '{"age":"' + "".join(each["token"] for each in tokens)
    end = token("}" if text.endswith('"') else '"}')
    shares = found(token('{"age":"'), *tokens, end)
    assert shares == ({} if wanted is None else {"age": pytest.approx(wanted)})


def test_options_with_marks_and_quotes() -> None:
    cafe = "caf\N{LATIN SMALL LETTER E WITH ACUTE}"
    tokens = [token('{"where":"'), token(r"a \"bar", 0.75, **{cafe: 0.25}), token(r"\""), END]
    assert found(*tokens[:-1], token('"}')) == {
        "where": pytest.approx({'a "bar"': 0.75, cafe: 0.25})
    }


def test_an_option_that_was_not_listed_is_not_there() -> None:
    assert found(BEGIN, token("yes", 0.9, no=0.1), END) == {
        "e1/visible": pytest.approx({"yes": 0.9, "no": 0.1})
    }


def test_a_token_that_was_drawn_or_forced_though_others_were_likelier() -> None:
    drawn = {"token": "yes", "logprob": math.log(0.1)}
    likelier = [{"token": "no", "logprob": math.log(0.4)}]
    other = [{"token": "The", "logprob": math.log(0.8)}]
    shares = found(BEGIN, {**drawn, "top_logprobs": likelier}, END)
    assert shares == {"e1/visible": pytest.approx({"no": 0.8, "yes": 0.2})}
    assert found(BEGIN, {**drawn, "top_logprobs": other}, END) == {}, "nothing of the others"
    assert found(BEGIN, token("yes", 0.4), END) == {}, "nor here"
    assert found(BEGIN, token("yes", 0.4, The=0.3), END) == {"e1/visible": {"yes": 1.0}}


GOOD = [BEGIN, token("yes", **THREE), END]


@pytest.mark.parametrize(
    "tokens",
    [
        None,
        "tokens",
        [],
        [None],
        [{}],
        [{**each, "top_logprobs": []} for each in GOOD],
        [{**each, "top_logprobs": None} for each in GOOD],
        [{**each, "logprob": float("nan")} for each in GOOD],
        [{**each, "logprob": 1000.0} for each in GOOD],
        [{**each, "logprob": "high"} for each in GOOD],
        [{**each, "token": "x"} for each in GOOD],
        GOOD[:2],
        GOOD[1:],
    ],
)
def test_tokens_of_another_kind_are_as_none(tokens: Any) -> None:
    assert chances('{"e1":{"visible":"yes"}}', tokens, SCHEMA) == {}


@pytest.mark.parametrize(
    "text",
    ["", "yes", "}{", '{"e1":', '{"e1":{"visible":"maybe"}}', "[" * 100_000, '{"e1":' * 100_000],
)
def test_a_text_that_is_no_answer_has_none(text: str) -> None:
    assert found(token(text)) == {}


def test_impossible_tokens_have_no_shares() -> None:
    never = {"token": "yes", "logprob": -9999.0}
    assert found(BEGIN, {**never, "top_logprobs": [never]}, END) == {}


_WORDS = ['{"e1":{"visible":"', '{"age":"', "yes", "y", "es", "no", "old", "er", "null", "9" * 5000]
_MARKS = ["{", "}", "[", "]", ":", ",", '"', '"}', '"}}', "\\", "\ud800", "\N{SNOWMAN}", " ", ""]
_PIECES = st.sampled_from(_WORDS + _MARKS)
_LISTED = st.fixed_dictionaries({"token": _PIECES, "logprob": st.floats(max_value=0.5)})


@given(
    st.lists(
        st.tuples(_LISTED, st.lists(_LISTED, max_size=4)).map(
            lambda both: {**both[0], "top_logprobs": both[1]}
        ),
        max_size=8,
    ),
    st.none() | st.text(alphabet='{}[]":,\\ e1visbleyno', max_size=30),
)
def test_it_never_fails_and_always_sums_to_one(tokens: Any, text: str | None) -> None:
    joined = "".join(each["token"] for each in tokens)
    for shares in chances(joined if text is None else text, tokens, SCHEMA).values():
        assert sum(shares.values()) == pytest.approx(1.0)
        assert json.loads(json.dumps(shares, allow_nan=False)) == shares
