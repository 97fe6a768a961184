"""deixis dataset export: what it writes and says, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.extra("transformers")

ROW: dict[str, Any] = {
    "id": "a",
    "text": "Ada Lovelace in London",
    "image": "a.png",
    "entities": [
        {"text": "Ada Lovelace", "type": "PER", "regions": [{"box": [10, 10, 90, 70]}]},
        {"text": "London", "type": "LOC", "regions": []},
    ],
}
Cli = Callable[..., Any]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    Image.fromarray(np.full((80, 100, 3), 120, np.uint8)).save(tmp_path / "a.png")
    path = tmp_path / "rows.jsonl"
    lost = {**ROW, "id": "b", "image": None}
    path.write_text(f"{json.dumps(ROW)}\n{json.dumps(lost)}\n", "utf-8")
    return path


def export(deixis: Cli, rows: Path, out: Path, *more: object, to: str = "trl") -> Any:
    asked = ("dataset", "export", rows, "--system", "e2e", "--for", to, "--out", out, *more)
    return deixis(*asked)


@pytest.mark.parametrize("to", ["trl", "swift", "llamafactory", "qwen"])
def test_lessons_are_written_for_each_trainer_and_rows_without_one_are_told(
    deixis: Cli, rows: Path, tmp_path: Path, to: str
) -> None:
    out = tmp_path / "out"
    code, printed, said = export(deixis, rows, out, to=to)
    assert code == 1, said
    assert printed.startswith("wrote 1 lessons to")
    told = " ".join(said.split())
    assert "1 left out: there is a box, and the model is shown no picture of it" in told
    assert json.loads((out / "left_out.jsonl").read_text("utf-8"))["id"] == "b"
    code, printed, _ = export(deixis, rows, out, "--json", to=to)
    file = Path(json.loads(printed)["file"])
    assert "Ada Lovelace|PER|" in file.read_text("utf-8")
    whole = rows.read_text("utf-8").splitlines()[0]
    rows.write_text(f"{whole}\n", "utf-8")
    assert export(deixis, rows, out, to=to)[0] == 0


@pytest.mark.parametrize(
    ("more", "to", "wanted"),
    [
        ((), "axolotl", "there is no trainer 'axolotl'"),
        ((), "ofa", "riveg-ve and riveg-vg alone, not e2e"),
        (("--system", "e3e"), "trl", "there is no system 'e3e' (did you mean 'e2e'?)"),
        (("--role", "vlm=openai:gpt-5-mini"), "trl", "say who is to learn: --base"),
        (("--base", "owner/model"), "trl", "it is not known how transformers:owner/model writes"),
        (("--base", "owner/model?family=gpt9"), "trl", "there is no family 'gpt9'"),
        (("--schema", "nothing"), "trl", "'nothing'"),
    ],
)
def test_what_cannot_be_made_is_one_line_and_leaves_no_file(
    deixis: Cli, rows: Path, tmp_path: Path, more: tuple[str, ...], to: str, wanted: str
) -> None:
    out = tmp_path / "out"
    code, printed, said = export(deixis, rows, out, *more, to=to)
    assert (code, printed) == (2, "")
    assert wanted in " ".join(said.split())
    assert "Traceback" not in said
    assert not out.exists()
