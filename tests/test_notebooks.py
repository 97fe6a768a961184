"""The notebooks as a user re-runs them: every cell runs, and shows what it promises."""

import base64
import io
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

from deixis.weights.model_files import cache_folder

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.extra]

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))
MODEL = "embedded:smollm2-135m"
SHOWN = {
    *("01_first_post.ipynb", "02_prompts.ipynb", "03_swap_backends.ipynb", "04_systems.ipynb"),
    *("05_sound_and_video.ipynb", "06_training.ipynb", "07_serve_and_correct.ipynb"),
}
LABELLED = Path(__file__).parents[2] / "shared" / "data" / "fmnerg"


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a notebook in its own folder; return what each code cell showed, by the cell's id.

    ``NAME="value"`` sets a constant of the notebook, as its reader would.
    """
    for variable in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    monkeypatch.delenv("COLUMNS", raising=False)
    weights, cache = cache_folder() / "pypi", tmp_path / "cache"  # no answer is known
    weights.mkdir(parents=True, exist_ok=True)
    cache.mkdir()
    (cache / "pypi").symlink_to(weights)
    monkeypatch.setenv("DEIXIS_CACHE", str(cache))

    def run(name: str, **changed: str) -> dict[str, list[Any]]:
        notebook = nbformat.read(FOLDER / name, as_version=4)
        for before, after in changed.items():
            (cell,) = (each for each in notebook.cells if f"\n{before} = " in each.source)
            cell.source = re.sub(rf"(?m)^{before} = \S+", f"{before} = {after}", cell.source)
        client = NotebookClient(
            notebook, timeout=600, resources={"metadata": {"path": str(FOLDER)}}
        )
        client.execute()
        return {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}

    return run


def text_of(outputs: list[Any]) -> str:
    """What the last result of a cell says in plain text, its lines and borders joined."""
    assert outputs, "the cell shows nothing"
    plain = re.sub(r"\x1b\[\d*m", "", outputs[-1].data["text/plain"])
    return " ".join(re.sub(r"[^\w\s.:/?=&,'-]", " ", plain).split())


def test_every_notebook_is_run_here() -> None:
    assert set(NOTEBOOKS) == SHOWN


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_stored_without_outputs(name: str) -> None:
    notebook = nbformat.read(FOLDER / name, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.cells[0].cell_type == "markdown"
    for cell in notebook.cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None


def check_overlays_and_a_chain_of_decisions(cells: dict[str, list[Any]]) -> None:
    entities = text_of(cells["result"])
    assert "Grace Hopper PER True" in entities and "Eileen Collins PER True" in entities
    assert "False" in entities
    sizes = {"hopper": (512, 600), "collins": (512, 512), "chelsea": (451, 300)}
    for name, size in sizes.items():
        (output,) = cells[f"overlay-{name}"]
        with Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))) as picture:
            assert picture.width >= size[0] and picture.height > size[1]
            assert len(picture.convert("RGB").getcolors(1 << 24)) > 1000, "a photograph"
    last = list(cells)[-1]
    assert last == "why"
    chain = text_of(cells[last])
    assert chain.startswith("Grace Hopper")
    steps = ["recognize", "entail", "ground", "vote", "expand"]
    places = [chain.find(step) for step in steps]
    assert min(places) > 0 and places == sorted(places), places
    assert chain.find("segment") > places[2], "beside the vote"
    assert "Hopper" in chain.partition("entail")[2], "the name read in the picture is evidence"


def check_what_every_system_asks_and_reads(cells: dict[str, list[Any]]) -> None:
    assert "Grace Hopper PER" in text_of(cells["riveg"])
    parts = text_of(cells["parts"])
    assert "Grace Hopper PER" in parts and "Navy" not in parts, "what was given, and no more"
    asked = {
        "riveg-asked": ("riveg/explain 2 ok", "riveg/expand 2 ok"),
        "vkel-asked": ("vkel/sketch 3 ok", "vkel/ground 4 ok"),
        "e2e": ("e2e/extract 3 ok",),
        "mmre": ("mmre/pfa 4 ok",),
    }
    for cell, prompts in asked.items():
        for prompt in prompts:
            assert prompt in text_of(cells[cell]), "a model was asked, and its answer is shown"
    read = text_of(cells["answers"])
    assert "140.0, 60.0, 380.0, 600.0" in read and "153.6, 60.0, 358.4, 600.0" in read
    assert "its region is neither boxes nor None" in read and "'a': 'Grace Hopper'" in read
    costs = re.findall(
        r"\b(main|riveg|vkel|e2e|mmre) (\d+) (\d+) (\d+) (\d+)", text_of(cells["cost"])
    )
    assert [row[0] for row in costs] == ["main", "riveg", "vkel", "e2e", "mmre"]
    assert all(int(row[2]) > 0 for row in costs[1:]), "calls"
    assert int(costs[0][2]) == 0 < int(costs[0][3]), "the first post was asked about before"
    assert (costs[3][2], costs[4][2]) == ("1", "1"), "one model, one pass"
    assert list(cells)[-1] == "warnings"
    assert text_of(cells["warnings"]).count("takes no pictures") >= 4


def test_the_first_post_and_every_system_show_what_they_promise(shown: Any) -> None:
    """One after the other: what the main graph asks about the post is asked once."""
    check_overlays_and_a_chain_of_decisions(shown("01_first_post.ipynb"))
    check_what_every_system_asks_and_reads(shown("04_systems.ipynb"))


def test_two_prompts_are_compared_by_agreement_cost_and_score(
    shown: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DEIXIS_DATA", raising=False)
    if LABELLED.is_dir():
        monkeypatch.setenv("DEIXIS_DATA", str(LABELLED))
    cells = shown("02_prompts.ipynb", POSTS="4")
    source = "fmnerg/dev.txt" if LABELLED.is_dir() else "this notebook"
    posts = text_of(cells["posts"])
    assert posts.startswith("'4 posts of") and source in posts
    changed = "".join(output.text for output in cells["edit"]).splitlines()
    assert [line[:10] for line in changed if line.startswith("+version")] == ["+version: "]
    assert any(line.startswith("+") and "For example" in line for line in changed)

    row = r"(\w+), {} (\d\.\d\d) (\d\.\d\d) (\d+) (\d+) (\d+) (\d+) (\d+\.\d)"
    rows = re.findall(row.format(r"version \d+"), text_of(cells["compare"]))
    assert [each[0] for each in rows] == ["ours", "yours"]
    for _, agreement, score, calls, cached, _, output_tokens, _ in rows:
        assert 0 < float(agreement) <= 1 and 0 <= float(score) <= 1
        assert (int(calls), int(cached)) == (8, 0), "two members, four posts"
        assert int(output_tokens) > 8 * 5, "a JSON object each"
    longer = int(rows[1][5]) - int(rows[0][5])
    assert longer > 0 and longer % 8 == 0, "the same sentence more in every call"

    (picture,) = [each for each in cells["plot"] if "image/png" in each.get("data", {})]
    with Image.open(io.BytesIO(base64.b64decode(picture.data["image/png"]))) as plot:
        shades = {shade: count for count, shade in plot.convert("RGB").getcolors(1 << 24)}
    for bar in ((31, 119, 180), (255, 127, 14)):
        assert shades.get(bar, 0) > 10_000, "the bars of one prompt"
    assert text_of(cells["examples"]).count(",") >= 2 + 2 * 3, "two titles; two members each"
    assert list(cells)[-1] == "again"
    ((_, agreement, score, *spent),) = re.findall(row.format("once more"), text_of(cells["again"]))
    assert (agreement, score) == rows[1][1:3], "the same answers"
    assert spent == ["0", "8", "0", "0", "0.0"], "all kept"


def test_swapping_backends_shows_votes_and_disagreement(shown: Any) -> None:
    cells = shown("03_swap_backends.ipynb")
    attributes = ["gender", "age", "skin_tone", "hair_color", "facial_contour", "clothing"]
    for cell in ("votes", "swap"):
        table = text_of(cells[cell])
        assert table.startswith("Eileen Collins")
        assert "temperature=0 " in table and "disagreement" in table
        for attribute in attributes:
            assert attribute in table
    shares = re.findall(r"\b(\d\.\d\d)\b", text_of(cells["disagreement"]))
    assert len(shares) == 4 and all(0 <= float(each) <= 1 for each in shares)
    assert any(float(each) > 0 for each in shares), "three temperatures do not always agree"
    compared = text_of(cells["compare"])
    assert compared.count("Eileen Collins") >= 1 and "White House" in compared
    assert list(cells)[-1] == "usage"
    usage = text_of(cells["usage"])
    before, _, after = usage.partition("second committee")
    for temperature in ("temperature=0", "temperature=0.6&seed=1", "temperature=1.2&seed=1"):
        member = re.escape(f"committee {MODEL}?{temperature}")
        assert re.search(rf"first {member} [1-9] 0 [1-9]", before), "asked"
        assert re.search(rf"{member} 0 1 0\b", f"committee{after}"), "kept"
    voters = [re.escape(f"voter {MODEL}?temperature={each}") for each in ("0", "0.8&seed=4")]
    assert re.search(rf"first {voters[0]} [1-9] 0 [1-9]", before)
    assert re.search(rf"second {voters[1]} [1-9] 0 [1-9]", after)


def test_sound_video_and_a_picture_show_what_is_found_where(shown: Any) -> None:
    cells = shown("05_sound_and_video.ipynb")
    assert text_of(cells["transcript"]).startswith("'Grace Hopper served in the United States Navy")
    assert re.search(r"Grace Hopper PER 0\.\d\d to \d\.\d\d", text_of(cells["sound"]))
    followed = re.search(r"person PER (\d+)", text_of(cells["video"]))
    assert followed and int(followed[1]) > 10, "frames"
    (strip,) = cells["strip"]
    with Image.open(io.BytesIO(base64.b64decode(strip.data["image/png"]))) as picture:
        assert picture.width > picture.height
    together = text_of(cells["together"])
    assert re.search(r"Grace Hopper PER 0\.\d\d to \d\.\d\d \d+, \d+, \d+, \d+", together)
    assert "over-grounding" in text_of(cells["why"])
    assert "no relations and no events" in text_of(cells["tasks"])
    for style, form in (("structured", "reads: the subject"), ("paper", "format")):
        assert form in text_of(cells[style]) and "member_of" in text_of(cells[style])
    answer = text_of(cells["answer"])
    assert "'Trump', 'PER'" in answer and "the woman in the middle" in answer
    assert list(cells)[-1] == "hears"
    assert "gemini-2.5-flash', True, True" in text_of(cells["hears"])


def test_a_model_learns_and_its_adapter_answers(shown: Any) -> None:
    cells = shown("06_training.ipynb")
    assert "'adapter'" in text_of(cells["train"]) and "README.md" in text_of(cells["train"])
    asked, _, answered = text_of(cells["lesson"]).partition("/post")
    assert "post Grace Hopper of the Navy" in asked, "the post is asked about"
    assert "answer Grace Hopper PER 10,4,79,112 /answer" in answered
    assert any("image/png" in each.get("data", {}) for each in cells["loss"])
    first, last = map(float, re.findall(r"(\d+\.\d+) at the", text_of(cells["loss"])))
    assert last < first / 10
    assert "adapter=" in text_of(cells["spec"])
    answers = text_of(cells["answers"])
    for name in ("Grace Hopper", "Eileen Collins", "Chelsea"):
        assert re.search(rf"trained {name} (PER|OTHER) \d+, \d+", answers), "the adapter answers"
        assert not re.search(rf"without {name}", answers), "the base does not"
    assert list(cells)[-1] == "score" and text_of(cells["score"]) == "1.0"


def test_answers_over_http_are_corrected_exported_and_come_back(shown: Any) -> None:
    cells = shown("07_serve_and_correct.ipynb")
    assert "'stack': 'fast'" in text_of(cells["serve"])
    assert "'Grace Hopper', 'PER', True" in text_of(cells["json"])
    form = text_of(cells["form"])
    assert "'Eileen Collins'" in form and "422" in form and "files of the server" in form
    steps = text_of(cells["stream"])
    nodes = ("open", "recognize", "ground", "segment", "structure")
    places = [steps.find(f" {node} ") for node in nodes]
    assert min(places) > 0 and places == sorted(places), places
    assert any("image/png" in each.data for each in cells["look"])
    assert "Chelsea ORG" in text_of(cells["found"]), "what there is to correct"

    saved = text_of(cells["correct"])
    assert saved.startswith("True") and saved.endswith("True"), "the row and its picture"
    assert "'type': 'OTHER'" in saved and "0.0, 0.0, 402.0, 300.0" in saved and "mask" not in saved
    for said in ("'tasks': 3", "'annotations': 3", "'mentions': 15"):
        assert said in text_of(cells["export"])
    assert "'Eileen Collins', 'xywh=" in text_of(cells["turtle"])
    assert re.search(r"Chelsea OTHER \d+, \d+, \d+, \d+", text_of(cells["label-studio"]))
    assert "Grace Hopper PER 30, 20, 480, 600" in text_of(cells["coco"]), "moved, and no other"

    assert text_of(cells["review"]) == "'type', 'place'"
    assert "'accepted': 2, 'corrected': 1" in text_of(cells["report"])
    assert list(cells)[-1] == "score"
    assert re.search(r"'f1': 0\.9333", text_of(cells["score"])), "14 of 15 names were right"
