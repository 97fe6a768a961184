"""fuse: votes of passes, and one pass at its word."""

from typing import Any

import pytest

from deixis import Settings
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.e2e.fuse import fuse
from deixis.graphs.e2e import SYSTEM

TEXT = "Ada met Ada at Sea"


@pytest.fixture
def toolbox() -> Toolbox:
    roles = {"vlm": "ollama:any"}
    settings = {"name": "test", "schema": "fmnerg", "graph": "e2e", "roles": roles}
    return Toolbox(Settings.model_validate(settings), system=SYSTEM)


def one(start: int, end: int, kind: str, fine: str | None = None) -> dict[str, Any]:
    return {
        "start": start,
        "end": end,
        "type": kind,
        "fine_type": fine,
        "boxes": None,
        "thought": "",
    }


def state(*passes: list[dict[str, Any]]) -> dict[str, Any]:
    read = [{"reply": f"extract/{n}/1", "named": each} for n, each in enumerate(passes, start=1)]
    picture = {"sha256": "", "width": 10, "height": 10, "source": "bytes"}
    return {"text": TEXT, "picture": picture, "notes": {"passes": read}}


def types(update: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (each["start"], each["type"], each["confidence"], update["kinds"].get(key, {}))
        for key, each in update["mentions"].items()
    ]


def test_places_of_one_name_are_voted_on_apart(run: Any, toolbox: Toolbox) -> None:
    first, second = one(0, 3, "person", "author"), one(8, 11, "person")
    update = run(fuse, state([first, second], [first], [first]), toolbox)
    fine = {"type": "person", "fine_type": "author"}
    assert types(update) == [(0, "person", 1.0, fine)]
    assert [each["message"] for each in update["notices"].values()] == [
        "1 of 3 passes named 'Ada'; it was left out"
    ]


def test_half_of_the_passes_is_not_most(run: Any, toolbox: Toolbox) -> None:
    update = run(fuse, state([one(0, 3, "person")], []), toolbox)
    assert update["mentions"] == {}


def test_the_first_of_equal_types_counts_with_its_own_fine_type(run: Any, toolbox: Toolbox) -> None:
    votes = [("art", "music"), *[("person", "author")] * 2, ("art", "written_work")]
    passes = [[one(0, 3, *vote)] for vote in votes]
    fine = {"type": "art", "fine_type": "music"}
    assert types(run(fuse, state(*passes), toolbox)) == [(0, "art", 0.5, fine)]


def test_one_pass_is_the_model_s_own_word(run: Any, toolbox: Toolbox) -> None:
    update = run(fuse, state([one(0, 3, "person")]), toolbox)
    assert update["decisions"]["e1/fuse/type"]["evidence"] == ["the model's own word, in one pass"]
    assert update["verdicts"]["e1"]["groundable"] is None
    several = run(fuse, state(*[[one(0, 3, "person")]] * 2), toolbox)
    evidence = several["decisions"]["e1/fuse/type"]["evidence"]
    assert evidence == ["confidence is the share of 2 passes that say so"]


def test_each_region_has_the_share_of_passes_that_point_at_it(run: Any, toolbox: Toolbox) -> None:
    left, right = [0.0, 0.0, 4.0, 9.0], [5.0, 0.0, 9.0, 9.0]
    said = [
        {**one(0, 3, "person"), "boxes": boxes} for boxes in ([left, right], [right], [right, left])
    ]
    update = run(fuse, state(*[[each] for each in said]), toolbox)
    found = [(each["box"], round(each["score"], 2)) for each in update["regions"]["e1"]]
    assert found == [(right, 1.0), (left, 0.67)]


def test_no_pass_is_no_entity(run: Any, toolbox: Toolbox) -> None:
    assert run(fuse, state(), toolbox)["mentions"] == {}
