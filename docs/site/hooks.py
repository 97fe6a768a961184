"""What the site adds to docs/: pages of the root of the repository, and drawings inside pages."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
_DRAWING = re.compile(r"!\[[^\]]*\]\((\w+)\.svg\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add CONTRIBUTING.md and CHANGELOG.md, with links as they are from docs/."""
    for name in ("CONTRIBUTING.md", "CHANGELOG.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, name.lower(), content=as_page(text)))
    return files


def as_page(text: str) -> str:
    """Return a page of the root as one of docs/: links to files that are not there become words."""
    text = text.replace("](docs/", "](").replace("](CHANGELOG.md", "](changelog.md")
    return re.sub(r"\[([^\]]+)\]\((?:deixis|notebooks|tests|README|LICENSE)[^)]*\)", r"\1", text)


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put drawings into their page, where they follow its choice of light and dark."""

    def drawing(link: re.Match[str]) -> str:
        svg = (ROOT / "docs" / f"{link[1]}.svg").read_text(encoding="utf-8")
        return f'<div class="drawing">{svg}</div>'

    return _DRAWING.sub(drawing, markdown)
