"""What is loaded by whom: the front door, a command that only answers, a tool."""

import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.process]


@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("deixis", ("typing", "deixis.schema", "pydantic")),
        ("deixis.apps.cli", ("pydantic", "numpy", "PIL", "langgraph", "langchain_core")),
        ("deixis.tools.base", ("deixis.show", "deixis.schema", "langgraph", "langchain_core")),
        ("deixis.agents.context.toolbox", ("deixis.show", "torch", "transformers", "cv2")),
        ("deixis.graphs.build", ("torch", "transformers", "onnxruntime", "openai", "cv2")),
    ],
)
def test_what_a_module_does_not_load(module: str, never: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print(*sys.modules, sep='\\n')"
    command = [sys.executable, "-I", "-S", "-c", code] if module == "deixis" else None
    if command:  # without the site packages, which load `typing` themselves
        command[-1] = f"import sys; sys.path[:0] = {sys.path!r}; {code}"
    loaded = subprocess.run(
        command or [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert module in loaded
    assert not [
        name for name in loaded for one in never if name == one or name.startswith(f"{one}.")
    ]
