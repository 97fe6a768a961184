"""What pages need to be run: the files that they talk of, and a model that answers at once."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.apps.cli import main
from deixis.evaluation.datasets import convert
from deixis.formats.files import write
from deixis.llms import registry
from deixis.rows import write_rows
from deixis.settings import STACKS
from deixis.testing import scripted
from deixis.tools.base import Picture
from deixis.weights.model_files import cache_folder
from tests.documents.pdfs import article

POSTS = [
    {"id": "1", "text": "Grace Hopper of the US Navy", "image": "photo.jpg"},
    {"id": "2", "text": "Hopper taught at Harvard"},
]
RELEASE = {
    "dev.txt": "IMGID:1\nGrace\tB-PER\nHopper\tI-PER\nof\tO\nthe\tO\nUS\tB-ORG\nNavy\tI-ORG\n\n",
    "xml/1.xml": "<annotation><filename>1.jpg</filename>"
    "<size><width>512</width><height>600</height><depth>3</depth></size>"
    "<object><name>Grace Hopper</name><bndbox><xmin>60</xmin><ymin>20</ymin><xmax>480</xmax>"
    "<ymax>600</ymax></bndbox></object></annotation>",
}


@pytest.fixture(autouse=True)
def user_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As for all tests, in the way that other processes see too: the user's weights, no answers."""
    weights, cache = cache_folder() / "pypi", tmp_path / "cache"
    weights.mkdir(parents=True, exist_ok=True)
    cache.mkdir()
    (cache / "pypi").symlink_to(weights)
    monkeypatch.setenv("DEIXIS_CACHE", str(cache))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "deixis"


@pytest.fixture(scope="session")
def given(tmp_path_factory: pytest.TempPathFactory, hopper: Path, collins: Path) -> Path:
    """A folder with files that pages talk of without making them."""
    folder = tmp_path_factory.mktemp("given")
    for name in ("photo.jpg", "post.jpg"):
        shutil.copy(hopper, folder / name)
    shutil.copy(Path(__file__).parents[1] / "sounds" / "grace_hopper.wav", folder / "talk.wav")
    (folder / "posts.jsonl").write_text("".join(json.dumps(post) + "\n" for post in POSTS))
    shutil.copy(STACKS / "starter.yaml", folder / "my-stack.yaml")
    article(folder, hopper, collins)
    release = folder / "Twitter10000_v2.0"
    for name, content in RELEASE.items():
        (release / name).parent.mkdir(parents=True, exist_ok=True)
        (release / name).write_text(content)
    gold = convert("gmner", release, "dev").rows
    write(folder / "answers.txt", "e2e", gold)
    write_rows(
        folder / "gold.jsonl", (row.model_copy(update={"image": "photo.jpg"}) for row in gold)
    )
    return folder


_SEEN: dict[str, Any] = {}


def _once(look: Callable[..., Any]) -> Callable[..., Any]:
    def remembering(tool: Any, picture: Picture, *rest: Any) -> Any:
        key = f"{look} {sha256(np.ascontiguousarray(picture)).hexdigest()} {rest}"
        if key not in _SEEN:
            _SEEN[key] = look(tool, picture, *rest)
        return _SEEN[key]

    return remembering


@pytest.fixture
def looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read and segment the one photograph of all pages once: that takes seconds."""
    from deixis.tools.grabcut import GrabCut
    from deixis.tools.rapidocr_reader import RapidOcrReader

    monkeypatch.setattr(RapidOcrReader, "read", _once(RapidOcrReader.read))
    monkeypatch.setattr(GrabCut, "segment", _once(GrabCut.segment))


@pytest.fixture
def answers_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the starter stack a language model that takes no time."""
    registry._load.cache_clear()
    with scripted():
        monkeypatch.setitem(registry.PROVIDERS, "embedded", registry.PROVIDERS["scripted"])
        yield
    registry._load.cache_clear()


@pytest.fixture
def deixis(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[list[str]], str]:
    """Run ``deixis ARGUMENTS`` in this process; return what it wrote to stdout."""

    def run(arguments: list[str]) -> str:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["deixis", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        written = capsys.readouterr()
        assert stopped.value.code in (0, None), f"deixis {arguments}: {written.err}"
        return written.out

    return run
