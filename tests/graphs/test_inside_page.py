"""The code of the page on graphs inside graphs runs as it is shown."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from deixis import Settings
from deixis.graphs import build

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "inside-your-graph.md"


def test_the_code_runs(
    quick: Settings, hopper: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    shutil.copy(hopper, tmp_path / "post.jpg")
    monkeypatch.chdir(tmp_path)
    graph = build.build_graph(quick)
    monkeypatch.setattr("deixis.build_graph", lambda: graph, raising=False)
    names: dict[str, Any] = {"__name__": "page"}
    exec("\n".join(blocks), names)
    first, second, blind = (names[turn]["entities"] for turn in ("first", "second", "blind"))
    assert {each["text"]: each["groundable"] for each in first}["Grace Hopper"] is True
    assert [each["text"] for each in second] == [each["text"] for each in blind] != []
    assert names["second"]["image"]["source"] == "post.jpg"
    assert {each["groundable"] for each in blind} == {None}
    assert second[0]["text"] == "Hopper" and second[0]["groundable"] is not None
    posts = [{"text": "Grace Hopper of the US Navy"}]
    assert names["look"]({"posts": posts})["names"] == ["Grace Hopper", "US Navy"]
