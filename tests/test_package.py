"""The package as it is installed: what it exports, and what it needs."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

import deixis
from deixis import errors

ROOT = Path(__file__).parents[1]


def test_the_front_door() -> None:
    assert deixis.__all__ == ["Extraction", "Settings", "__version__", "build_graph", "errors"]
    for name in deixis.__all__:
        assert getattr(deixis, name) is not None
    assert set(deixis.__all__) <= set(dir(deixis))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = deixis.nonsense  # type: ignore[attr-defined]


def test_every_error_is_in_the_tree_at_the_top_of_its_file() -> None:
    classes = [each for each in vars(errors).values() if isinstance(each, type)]
    for each in classes:
        assert issubclass(each, errors.DeixisError)
        assert f"─ {each.__name__} " in errors.__doc__ or each is errors.DeixisError  # type: ignore


def test_import_loads_no_library() -> None:
    script = (
        "import sys, deixis; "
        "print(sorted({name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(eval(done.stdout))
    heavy = {"langgraph", "langchain_core", "numpy", "pydantic", "torch", "cv2", "onnxruntime"}
    assert not loaded & heavy


BUILDS = """
import deixis
graph = deixis.build_graph()
try:
    graph.invoke({"text": "Grace Hopper"})
except deixis.errors.MissingExtraError as error:
    print(error)
"""
READS = """
from deixis.prompts import FOLDER
from deixis.settings import Settings
from deixis.type_schema import TypeSchema
print(len(list(FOLDER.glob("*.md"))), len(list((FOLDER / "knowledge").glob("*.yaml"))))
print(Settings.load().name, TypeSchema.load("fmnerg").name)
for name in ("models/recognizer/recognizer.json", "templates/page.html.j2", "py.typed"):
    print((FOLDER.parent / name).is_file())
"""


def run(python: Path, script: str) -> str:
    done = subprocess.run(
        [python, "-W", "error::DeprecationWarning:deixis", "-c", script],
        capture_output=True,
        text=True,
        cwd=python.parent,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_bare_environment_imports_builds_and_says_what_to_install(tmp_path: Path) -> None:
    """With the core dependencies only, Deixis installed as a wheel."""
    venv.create(tmp_path)
    python = tmp_path / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile")
    subprocess.run([*pip, "-c", ROOT / "requirements.lock", ROOT], check=True)
    assert 'python -m pip install "deixis[starter]"' in run(python, BUILDS)

    prompts = ROOT / "deixis" / "prompts"
    counts = [len(list(prompts.glob(files))) for files in ("*.md", "knowledge/*.yaml")]
    assert min(counts) > 5
    data = run(python, READS).splitlines()
    assert data == [f"{counts[0]} {counts[1]}", "starter fmnerg", "True", "True", "True"]

    doctor = [python.parent / "deixis", "doctor", "--json"]
    done = subprocess.run(doctor, capture_output=True, text=True)
    assert done.returncode == 2
    assert 'pip install \\"deixis[starter]\\"' in done.stdout
    assert done.stderr == ""
