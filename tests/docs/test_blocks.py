"""How blocks of code are told: their language, their title, and what they say they need."""

from pathlib import Path

import pytest

from .blocks import blocks_of, commands_of
from .checkout import changed

PAGE = """# A page

<!-- needs: a key -->
```bash
deixis run photo.jpg \\
    "Grace Hopper"    # a comment
# only a comment
deixis doctor
```

<!-- needs: a hub -->
What stands between ends the mark.

  ```python title="ours.py"
  x = 1
  ```
"""


def test_marks_titles_and_commands_are_read(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    shell, python = blocks_of(page)
    assert (shell.language, shell.title, shell.needs, shell.line) == ("bash", None, "a key", 4)
    run, doctor = commands_of(shell)
    assert run.split() == ["deixis", "run", "photo.jpg", '"Grace', 'Hopper"', "#", "a", "comment"]
    assert doctor == "deixis doctor"
    assert (python.title, python.needs, python.code) == ("ours.py", None, "x = 1\n")


@pytest.mark.parametrize("page", ["```python\nx = 1\n", "```python {.numbered}\nx = 1\n```\n"])
def test_a_block_that_is_not_understood_is_an_error(tmp_path: Path, page: str) -> None:
    (tmp_path / "page.md").write_text(page)
    with pytest.raises(ValueError, match=r"page\.md:1"):
        blocks_of(tmp_path / "page.md")


def test_a_diff_without_numbers_is_applied_where_its_lines_stand() -> None:
    text = "one\ntwo\nthree\nfour\n"
    assert changed(text, " one\n+and a half\n@@\n-three\n four\n") == "one\nand a half\ntwo\nfour\n"
    with pytest.raises(AssertionError, match="stands 0 times"):
        changed(text, " five\n+six\n")
