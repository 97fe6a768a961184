"""The plans that come with the pages can be run, and the page on ablations names every line."""

import json
import re
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from PIL import Image

from deixis.evaluation.ablations.checks import Checked, check_plan
from deixis.evaluation.ablations.plan import Plan
from deixis.settings import STACKS
from deixis.testing import scripted

from .blocks import ROOT

PLANS = sorted((ROOT / "docs" / "systems" / "plans").glob("*.yaml"))
PAGE = (ROOT / "docs" / "ablations.md").read_text(encoding="utf-8")
PAPERS = {"vkel": "VKEL", "riveg": "RiVEG", "e2e": "E2E-GMNER", "mmre": "M-MRE"}
ROW: dict[str, Any] = {
    "id": "1",
    "text": "Ada in Rome",
    "entities": [{"text": "Ada", "start": 0, "end": 3, "type": "PER", "regions": []}],
}
FINE = {**ROW, "entities": [{**ROW["entities"][0], "type": "person", "fine_type": "scientist"}]}
PATCHED = {**ROW, "summary": "A woman.", "patches": []}
GOLD = {"vkel": FINE, "e2e-fmnerg": FINE, "mmre": PATCHED}


def checked(path: Path, folder: Path) -> Checked:
    gold = folder / "gold.jsonl"
    gold.write_text(json.dumps(GOLD.get(path.stem, ROW)) + "\n")
    return check_plan(path, gold)


@pytest.mark.extra("eval")
@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_every_variant_is_one_that_its_graph_knows(path: Path, tmp_path: Path) -> None:
    plan = checked(path, tmp_path)
    first, *others = plan.runs
    for run in others:
        changed = set(plan.differs(run)) - {"gold_mentions", "limit"}
        assert changed or run.gold_mentions, f"{run.title} differs in nothing from {first.title}"
    keys = {json.dumps([run.known, run.variant.name]) for run in plan.runs}
    assert len({json.dumps(run.known) for run in plan.runs}) == len(keys), "two are alike"


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_every_variant_is_a_line_that_says_what_it_stands_for(path: Path) -> None:
    variants = Plan.load(path).variants
    lines = [line for line in path.read_text().splitlines() if line.startswith("  - {name: ")]
    assert len(lines) == len(variants) and all(line.endswith("}") for line in lines)
    assert all(each.about for each in variants[int(path.stem == "main") :])


def with_scripted_models(text: str) -> str:
    """Put a scripted model in the place of every model, other ones where others were."""

    def scripted(found: re.Match[str]) -> str:
        seed = "?seed=$seed" if "$seed" in found[0] else ""
        return f"scripted:m{crc32(found[0].encode())}{seed}"

    text = re.sub(r"embedder: \S+", "embedder: hashed", text)
    text = re.sub(r"(detector|segmenter|reader): [a-z]\S+:\S+", r"\1: none", text)
    text = text.replace("detector: none", "detector: centerface")
    return re.sub(r"\b(openai|google_genai|transformers|embedded|clip):[^\"\s]+", scripted, text)


@pytest.mark.slow
@pytest.mark.extra("starter")
@pytest.mark.extra("eval")
@pytest.mark.parametrize("path", [p for p in PLANS if p.stem != "main"], ids=lambda path: path.stem)
def test_every_variant_runs(
    path: Path, tmp_path: Path, deixis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (80, 60), "red").save("red.png")
    plan = with_scripted_models(path.read_text())
    name = re.search(r"^stack: (\w+)$", plan, re.M)
    assert name is not None
    Path("plan.yaml").write_text(plan.replace(name[0], "stack: mine.yaml") + "\nrounds: 20\n")
    stack = with_scripted_models((STACKS / f"{name[1]}.yaml").read_text())
    Path("mine.yaml").write_text(stack)
    patch = {"letter": "a", "box": [0, 0, 9, 9], "entity": None}
    row = {**GOLD.get(path.stem, ROW), "image": "red.png", "patches": [patch]}
    Path("gold.jsonl").write_text(json.dumps(row) + "\n")
    examples = [{"id": f"e{n}", "text": f"Bob {n}", "annotation": "Bob (PER)"} for n in range(12)]
    Path("annotated.jsonl").write_text("".join(json.dumps(each) + "\n" for each in examples))
    with scripted(sees=True):
        if path.stem == "riveg":
            told = ["--out", "my-examples", "--stack", "mine.yaml"]
            deixis(["examples", "build", "annotated.jsonl", *told])
        told = ["--gold", "gold.jsonl", "--out", "out", "--json"]
        found = json.loads(deixis(["ablate", "plan.yaml", *told]))
    for line in found["variants"]:
        assert line["done"] and not line["failed"] and line["metrics"], line["name"]
    assert found["variants"][0]["calls"] > 0


def rows_of(page: str) -> dict[str, list[str]]:
    """The lines of the page's table: plan to the variants that it names."""
    found: dict[str, list[str]] = {}
    for plan, named in re.findall(r"^\|[^|]+\|[^|]+\| `([\w-]+)\.yaml` \| (.+) \|$", page, re.M):
        found.setdefault(plan, []).extend(named.split("; "))
    return found


def test_the_page_names_every_line_of_the_papers_and_no_other() -> None:
    named = rows_of(PAGE)
    papers = [path for path in PLANS if path.stem.partition("-")[0] in PAPERS]
    assert set(named) == {path.stem for path in papers}
    for path in papers:
        _, *variants = (each.name for each in Plan.load(path).variants)
        assert sorted(set(named[path.stem])) == sorted(variants), path.stem
