"""The site is built without a warning, and needs nothing from elsewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .blocks import ROOT

FETCHED = re.compile(
    r"""(?:<(?:script|img|iframe|source)[^>]+src|<link[^>]+href|@import|url\()"""
    r"""[ =("']*((?:https?:)?//[^"')]+)"""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
@pytest.mark.process
def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    pages = [path for path in site.rglob("*") if path.suffix in {".html", ".css"}]
    assert len(pages) > 25
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not FETCHED.findall(text), page.name
        assert 'class="mermaid"' not in text, "its script would be fetched"


@pytest.mark.slow
@pytest.mark.process
def test_public_names_have_their_pages(site: Path) -> None:
    api = {page.stem: page.read_text(encoding="utf-8") for page in (site / "api").glob("*.html")}
    for page, name in {
        "results": "deixis.schema.Extraction.to_coco",
        "settings": "deixis.settings.Settings.load",
        "errors": "deixis.errors.InputError",
        "tools": "deixis.tools.base.Detector.detect",
        "agents": "deixis.agents.context.system.System",
        "evaluation": "deixis.evaluation.metrics.scoring.evaluate",
        "exchange": "deixis.exchange.gold.gold_row",
        "serving": "deixis.serving.service.Service.start",
    }.items():
        assert f'id="{name}"' in api[page], name


@pytest.mark.slow
@pytest.mark.process
def test_marks_of_blocks_are_not_shown(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = re.sub(r"<!--.*?-->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert "needs: a" not in text, page.name
        assert "```" not in text, page.name
