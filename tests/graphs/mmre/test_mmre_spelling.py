"""M-MRE: names of the two parts of an answer are one name however each is written."""

from typing import Any


def test_a_name_is_the_same_however_it_is_written(run: Any) -> None:
    found = run(
        "Task 1 Answer: A flag.\nTask 2 Answer: NER: :PER; Zo\u00eb O'Neil:ORG; AT&T\n"
        "image-entity pair: {'a': 'Zoe\u0308 O\u2019Neil', 'b': 'AT&amp;T'}",
        text="Zoe\u0308 O\u2019Neil of AT&amp;T",
    )
    assert [each.text for each in found.entities] == ["Zoe\u0308 O\u2019Neil", "AT&amp;T"]
    assert [each.groundable for each in found.entities] == [True, True]
