"""Relations of MNRE, a pair of names to a line."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.errors import DataError, InputError
from deixis.evaluation.datasets import convert
from deixis.evaluation.datasets.json_files import NOT_FOUND
from deixis.formats.muie_rows import MuieRow
from deixis.type_schema import TypeSchema

TOKENS = ["RT", "@ada", ":", "Ada", "Byron", "of", "Ockham", "Park"]
ADA, OCKHAM, RT = ("Ada Byron", (3, 5)), ("Ockham Park", (6, 8)), ("RT @ada", (0, 2))


def pair(
    head: Any, tail: Any, relation: str, tokens: list[str] = TOKENS, image: str = "a.jpg"
) -> str:
    sides = {
        name: {"name": text, "pos": list(pos)}
        for name, (text, pos) in zip("ht", (head, tail), strict=True)
    }
    return repr({"token": tokens, **sides, "img_id": image, "relation": relation}) + "\n"


LINES = (
    pair(ADA, OCKHAM, "/per/loc/place_of_residence")
    + pair(RT, ADA, "None")
    + pair(OCKHAM, ADA, "/org/per/odd")
    + pair(("Ockham", (0, 1)), ("Ada", (1, 2)), "/loc/loc/contain", ["Surrey", "Ockham"])
    + pair(ADA, OCKHAM, "/per/loc/place_of_residence")
)


def test_the_pairs_of_a_tweet_are_one_row(release: Any, as_gold: Any) -> None:
    rows, counts = convert("mnre", release({"mnre_txt/mnre_test.txt": LINES}), "test")
    first, second = as_gold(rows)
    assert (first.id, second.id) == ("a", "a#2") and first.task == "re" and first.dataset == "MNRE"
    assert first.text == "RT @ada : Ada Byron of Ockham Park"
    assert [(each.text, each.type) for each in first.entities] == [
        ("Ada Byron", "PER"),
        ("Ockham Park", "LOC"),
        ("RT @ada", "entity"),
    ]
    assert all(first.text[each.start : each.end] == each.text for each in first.entities)
    assert all(each.regions is None for each in first.entities), "nobody looked"
    assert [(each.subject, each.type, each.object) for each in first.relations] == [
        (0, "/per/loc/place_of_residence", 1),
        (1, "/org/per/odd", 0),
    ]
    assert [each.type for each in second.entities] == ["LOC", "LOC"]
    assert list(counts.values()) == [5, 1, 1, 2, 1, 1, 2]


def test_its_labels_are_those_of_the_schema(release: Any) -> None:
    rows, _ = convert("mnre", release({"ours_val.txt": LINES}), "val")
    labels = [each.type for row in rows for each in MuieRow.model_validate(row).relations]
    known = [label for label in labels if TypeSchema.load("mnre").relation(label)]
    assert known == ["/per/loc/place_of_residence", "/loc/loc/contain"]


def test_a_blank_in_the_name_of_the_file_is_that_of_the_release(release: Any) -> None:
    folder = release({"mnre_txt/mnre_val .txt": LINES})
    assert len(convert("mnre", folder, "val").rows) == 2
    with pytest.raises(InputError, match=r"no mnre_dev.txt or ours_dev.txt .*there: mnre_val .txt"):
        convert("mnre", folder, "dev")


def test_pictures_are_found_by_their_names(
    release: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = release({"mnre_test.txt": LINES})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shots").mkdir()
    Image.new("RGB", (8, 6)).save(tmp_path / "shots" / "a.jpg")
    rows, counts = convert("mnre", folder, "test", images=Path("shots"), beside=Path("out"))
    assert {(row.image, row.size) for row in rows} == {("../shots/a.jpg", (8, 6))}
    assert counts[NOT_FOUND] == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{'token': ['a'], 'h': 1}", "h: "),
        ("token", "neither JSON nor a Python literal"),
        (pair(("x", (7, 9)), ADA, "None"), "there are no words 7 to 9; the text has 8"),
        (pair(("x", (-1, 2)), ADA, "None"), "there are no words -1 to 2"),
        (pair(("x", (3, 3)), ADA, "None"), "there are no words 3 to 3"),
        (pair(("x", (0, 1)), ADA, "None", ["", "", "", "b", "c"]), "the words 0 to 1 have no char"),
    ],
)
def test_a_line_that_does_not_fit_is_told(release: Any, line: str, said: str) -> None:
    folder = release({"mnre_test.txt": LINES + line})
    with pytest.raises(DataError, match=r"mnre_test\.txt:6: ") as caught:
        convert("mnre", folder, "test")
    assert said in str(caught.value)
