"""Lines of JSON: what is said of those that are none."""

import re

import pytest

from deixis.base.json_lines import parsed


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
