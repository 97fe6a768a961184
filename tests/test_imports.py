"""What is loaded by whom: the front door, a command that only answers, a tool, a graph."""

import subprocess
import sys

import pytest

pytestmark = [pytest.mark.process, pytest.mark.slow]


@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("deixis.apps.cli", ("pydantic", "numpy", "PIL", "langgraph", "langchain_core")),
        ("deixis.tools.base", ("deixis.show", "deixis.schema", "langgraph", "langchain_core")),
        ("deixis.agents.context.toolbox", ("deixis.show", "torch", "transformers", "cv2")),
        ("deixis.graphs.build", ("torch", "transformers", "onnxruntime", "openai", "cv2")),
    ],
)
def test_what_a_module_does_not_load(module: str, never: tuple[str, ...]) -> None:
    loaded = _loaded(f"import sys, {module}")
    assert module in loaded and not [
        name for name in loaded for one in never if f"{name}.".startswith(f"{one}.")
    ]


def test_the_front_door_loads_next_to_nothing() -> None:
    """Not even `typing`, in an interpreter whose site packages have not loaded it already."""
    loaded = _loaded(f"import sys; sys.path[:0] = {sys.path!r}; import deixis", "-I", "-S")
    assert "deixis" in loaded and not {"typing", "pydantic", "deixis.schema"} & set(loaded)


def _loaded(code: str, *options: str) -> list[str]:
    command = [sys.executable, *options, "-c", f"{code}; print(*sys.modules)"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
