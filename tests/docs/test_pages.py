"""What the pages say of files, options and providers is so."""

import pkgutil
import re
from pathlib import Path

import pytest
import yaml

from deixis.evaluation.datasets import DATASETS
from deixis.evaluation.metrics.tasks import TASKS
from deixis.formats.files import FORMATS
from deixis.llms.registry import PROVIDERS
from deixis.settings import Options, Roles, entry_for, stack_names
from deixis.tools.registry import TOOLS

from .blocks import PAGES, ROOT, blocks_of

DOCS = ROOT / "docs"
MOST_WORDS = 900
IDS = [str(page.relative_to(ROOT)) for page in PAGES]
MADE = {"contributing.md", "changelog.md"}
"""Pages that the site makes of files in the root of the repository."""


def text_of(page: Path) -> str:
    """The words of a page without its blocks of code."""
    return re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def anchors_of(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", text_of(page), re.M)
    return {re.sub(r"[^\w -]", "", head).strip().lower().replace(" ", "-") for head in heads}


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= MOST_WORDS


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", text_of(page))
    for link in map("".join, links):
        assert "://" not in link, f"{link}: no page needs the network"
        path, _, anchor = link.partition("#")
        target = page if not path else page.parent / path
        if path in MADE:
            target = ROOT / path.upper().replace(".MD", ".md")
        assert target.exists(), link
        if anchor:
            assert anchor in anchors_of(target), link


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_files_named_are_there(page: Path) -> None:
    text = text_of(page)
    ours = r"`((?:agents|base|batch|formats|graphs|llms|prompts|show|stacks|tools)/[\w/.*-]+)`"
    for name in re.findall(r"`((?:deixis|docs|notebooks|tests)/[\w/.*-]+)[` ]", text):
        assert list(ROOT.glob(name)), name
    for name in re.findall(ours, text):
        assert list((ROOT / "deixis").glob(name)), name


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=[*IDS, "CHANGELOG.md"])
def test_modules_and_names_named_are_there(page: Path) -> None:
    """Of a table that says where things have moved, the last column is meant."""
    lines = [line.rpartition(" | ")[2] for line in text_of(page).splitlines()]
    for name in re.findall(r"`(deixis(?:\.\w+)+)`", "\n".join(lines)):
        assert pkgutil.resolve_name(name) is not None, name


def test_the_options_shown_are_options() -> None:
    blocks = (b for b in blocks_of(DOCS / "language-models.md") if b.language == "yaml")
    shown = {key: part for block in blocks for key, part in yaml.safe_load(block.code).items()}
    Roles.model_validate(shown["roles"])
    options = Options.model_validate(shown["options"])
    assert entry_for("openai:gpt-5-mini?temperature=0", options.prices) is not None
    assert entry_for("openai:gpt-5-mini", options.limits) is not None
    assert options.gate == Options().gate, "the gate shown is the default"


def test_all_that_can_be_named_is_named() -> None:
    models, tools, stacks, scores = (
        (DOCS / name).read_text(encoding="utf-8")
        for name in ("language-models.md", "tools.md", "stacks.md", "evaluation.md")
    )
    for provider in PROVIDERS:
        assert f"| `{provider}:` |" in models, provider
    for tool in TOOLS:
        assert re.search(rf"`{tool}[`:]", tools), tool
    for name in (*stack_names(), *Roles.model_fields):
        assert f"`{name}`" in stacks, name
    for name in (*DATASETS, *TASKS, *FORMATS):
        assert re.search(rf"\b{name}\b", scores), name
