"""The package as it is installed: what it exports, and what it needs."""

import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import yaml

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


@pytest.mark.process
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
shipped = ["models/recognizer/recognizer.json", "models/entailer/weights.npz"]
shipped += ["show/templates/page.html.j2", "apps/sounds/grace-hopper.wav", "py.typed"]
for name in shipped:
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


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with Deixis as a wheel, and its core dependencies only."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile")
    subprocess.run([*pip, "-c", ROOT / "requirements.lock", ROOT], check=True)
    return python


@pytest.mark.process
@pytest.mark.slow
def test_a_bare_environment_imports_builds_and_says_what_to_install(bare: Path) -> None:
    assert 'python -m pip install "deixis[starter]"' in run(bare, BUILDS)

    prompts = ROOT / "deixis" / "prompts"
    counts = [len(list(prompts.glob(files))) for files in ("*.md", "knowledge/*.yaml")]
    assert min(counts) > 5
    data = run(bare, READS).splitlines()
    assert data == [f"{counts[0]} {counts[1]}", "starter fmnerg", *["True"] * 5]

    doctor = [bare.parent / "deixis", "doctor", "--json"]
    done = subprocess.run(doctor, capture_output=True, text=True)
    assert done.returncode == 2
    assert 'pip install \\"deixis[starter]\\"' in done.stdout
    assert done.stderr == ""


@pytest.mark.process
@pytest.mark.slow
def test_the_version_has_one_source(bare: Path) -> None:
    installed = "from importlib.metadata import version; print(version('deixis'))"
    assert run(bare, installed).strip() == deixis.__version__
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == deixis.__version__
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", changes, re.M)[:2] == ["Unreleased", deixis.__version__]


def test_hooks_before_a_commit_run_what_make_check_runs() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook["entry"].split() for repo in config["repos"] for hook in repo["hooks"]]
    check = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\ncheck:")[2]
    check = check.partition("\n\n")[0].replace("$(BIN)", ".venv/bin")
    for program, *arguments in hooks:
        command = " ".join([program, *(word for word in arguments if not word.startswith("-"))])
        assert command in check, command


USER = """
from pathlib import Path

from deixis import Extraction, Settings, build_graph, errors

settings = Settings.load("starter").with_options(top_k=3)
graph = build_graph(settings)
out = graph.invoke({"image": None, "text": "Grace Hopper of the US Navy"})
result = Extraction.model_validate(out)
names: list[str] = [entity.text for entity in result.entities]
boxes: list[tuple[float, float, float, float]] = [
    region.box for entity in result.entities for region in entity.regions
]
try:
    build_graph(Path("my-stack.yaml"), graph="vkel")
except errors.SettingsError as error:
    print(error)
"""
WRONG = """
from deixis import Extraction, build_graph

build_graph(stack=7)
length: int = Extraction(text="", image=None, entities=[]).text
"""


@pytest.mark.process
@pytest.mark.slow
def test_users_get_our_types(tmp_path: Path) -> None:
    """A program is checked against the installed package, which says that it is typed."""
    (tmp_path / "right.py").write_text(USER)
    (tmp_path / "wrong.py").write_text(WRONG)
    mypy = (sys.executable, "-m", "mypy", "--strict", "--config-file", ROOT / "pyproject.toml")
    done = subprocess.run(
        [*mypy, "--cache-dir", ROOT / ".mypy_cache", "right.py", "wrong.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    problems = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert problems[:-1] == ["wrong.py", "wrong.py"], done.stdout
    assert "[arg-type]" in done.stdout and "[assignment]" in done.stdout
