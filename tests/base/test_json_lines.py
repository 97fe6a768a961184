"""Lines of JSON: what is said of those that are none."""

import json
import re

import pytest

from deixis.base.json_lines import listed, parsed


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[", "jq -c '.[]'"),
        ('[{"id": "1"},', "jq -c '.[]'"),
        ("{", "an object stands on one line"),
        ('{"id": "1"},', "no comma stands between lines"),
        ('{"id": "1"}{"id": "2"}', "two objects stand on one line"),
        ('{"id": "1",}', "no comma stands before a closing bracket"),
        ('{"a": [1, 2, ], "b": 1}', "no comma stands before a closing bracket"),
        ("{'id': '1'}", "double quotes"),
        ('{"image": None}', "null, true and false"),
        ('{"a": [True]}', "null, true and false"),
        ('{\0"\0i\0d\0', "iconv"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": {"b": 1, "b": 1}}', "'b' stands twice"),
        ('{"id": "1', "Unterminated string starting at at column 8"),
        ("9" * 5000, "digits"),
    ],
)
def test_what_to_do_is_said(line: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        parsed(line)


def test_words_in_a_text_are_no_hint() -> None:
    with pytest.raises(ValueError, match=r"Expecting ',' delimiter at column \d+$"):
        parsed("""{"text": "None, ] {'x'}" "id": 1}""")


def test_numbers_that_are_none() -> None:
    assert parsed('{"score": Infinity}') == {"score": float("inf")}
    with pytest.raises(ValueError, match="Infinity is no JSON value"):
        parsed('{"score": Infinity}', constants=False)


@pytest.mark.parametrize(
    "text", ["[]", " [ ] ", "[1]", '\n[ {"a": [2]} ,\r\n\t"]", null, [[]] ]\n', "[-0.5e3,true]"]
)
def test_a_list_is_read_value_by_value(text: str) -> None:
    assert list(listed(text)) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no list"),
        ("{}", "no list"),
        ("[", "Expecting value at line 1, column 2"),
        ("[1,\n]", "Expecting value at line 2"),
        ("[1\n2]", "a comma or ] is missing at line 2"),
        ("[1", "a comma or ] is missing"),
        ("[1] [2]", "more stands behind the list: '[2]'"),
        ("[" * 100_000, "nested too deeply"),
        ('[{"b": 1, "b": 1}]', "'b' stands twice"),
        ("[" + "9" * 5000 + "]", "digits"),
    ],
)
def test_what_is_no_list_is_told(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        list(listed(text))
