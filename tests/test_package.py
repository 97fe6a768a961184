"""The package as it is installed: what it exports, and what it needs."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

import deixis
from deixis import errors

pytestmark = pytest.mark.slow

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


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the core dependencies only, Deixis installed as a wheel."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    lock = ("-c", ROOT / "requirements.lock")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *lock, ROOT], check=True)
    return python


def run(python: Path, script: str) -> str:
    done = subprocess.run(
        [python, "-W", "error::DeprecationWarning:deixis", "-c", script],
        capture_output=True,
        text=True,
        cwd=python.parent,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_bare_environment_imports_and_builds(bare: Path) -> None:
    script = """
import deixis
graph = deixis.build_graph()
try:
    graph.invoke({"text": "Grace Hopper"})
except deixis.errors.MissingExtraError as error:
    print(error)
"""
    assert 'python -m pip install "deixis[starter]"' in run(bare, script)


def test_a_bare_environment_has_all_package_data(bare: Path) -> None:
    script = """
from deixis.prompts import FOLDER
from deixis.settings import Settings
from deixis.type_schema import TypeSchema
print(len(list(FOLDER.glob("*.md"))), len(list((FOLDER / "knowledge").glob("*.yaml"))))
print(Settings.load().name, TypeSchema.load("fmnerg").name)
for name in ("models/recognizer/recognizer.json", "templates/page.html.j2", "py.typed"):
    print((FOLDER.parent / name).is_file())
"""
    lines = run(bare, script).splitlines()
    assert lines == ["8 8", "starter fmnerg", "True", "True", "True"]


def test_the_doctor_of_a_bare_environment_gives_install_lines(bare: Path) -> None:
    done = subprocess.run(
        [bare.parent / "deixis", "doctor", "--json"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert 'pip install \\"deixis[starter]\\"' in done.stdout
    assert done.stderr == ""
