"""The code blocks of the README and of docs/, as they stand in the source of the pages.

A block that cannot be run here has a mark before it, which the page does not show:
``<!-- needs: a key -->``. What a mark may say is in `NEEDS`.
"""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"))
    if path.is_file()
)
NEEDS = {
    *("a key", "a hub", "a GPU", "a server", "a cluster", "another machine"),
    *("a data set", "a person", "an index", "jq", "minutes", "the repository"),
}
"""What may keep a block from being run."""
DRAWN = {"text", "mermaid"}
"""Languages of blocks that are no code: drawings, formulas, what a file looks like."""
CODE = {"bash", "diff", "json", "python", "toml", "yaml"}

_FENCE = re.compile(r'^( *)```(\w*)(?: title="([^"]+)")?$')
_MARK = re.compile(r"^ *<!-- needs: (.+) -->$")


class Block(NamedTuple):
    """One block; ``title`` is the name of the file that it shows, ``line`` that of its fence."""

    page: Path
    line: int
    language: str
    title: str | None
    needs: str | None
    code: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page from top to bottom.

    Raises:
        ValueError: a fence that is not closed, or says more than a language and a title.
    """
    blocks: list[Block] = []
    needs = None
    lines = iter(enumerate(page.read_text(encoding="utf-8").splitlines(), start=1))
    for number, line in lines:
        if not line.lstrip().startswith("```"):
            if line.strip():
                mark = _MARK.match(line)
                needs = mark[1] if mark else None
            continue
        fence = _FENCE.match(line)
        if fence is None:
            raise ValueError(f"{page}:{number}: {line!r} is no fence that is known here")
        indent, language, title = fence.groups()
        code = []
        for _, inner in lines:
            if inner == f"{indent}```":
                break
            code.append(inner.removeprefix(indent))
        else:
            raise ValueError(f"{page}:{number}: the block has no end")
        blocks.append(Block(page, number, language, title, needs, "\n".join(code) + "\n"))
        needs = None
    return blocks


def commands_of(block: Block) -> list[str]:
    """Return the commands of a block of bash; a line that ends in a backslash goes on."""
    joined = block.code.replace("\\\n", " ")
    return [line for line in map(str.strip, joined.splitlines()) if line and line[0] != "#"]
