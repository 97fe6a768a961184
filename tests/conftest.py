"""What tests share: a user folder of their own, the photographs, a scripted chat model.

What needs an optional package that is not there is skipped, and says which. In the environment
that `make test` makes nothing is absent.
"""

import os
import re
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from deixis.apps.demo import POSTS
from deixis.errors import MissingExtraError
from deixis.llms import registry
from deixis.settings import Spec
from deixis.weights.model_files import resolve

# A busy machine is slow; that is no fault of what is tested.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")
# Tests run side by side, and threads of tiny models wait by spinning.
os.environ.setdefault("OMP_NUM_THREADS", "1")

OPTIONAL = {
    *("cv2", "onnxruntime", "pycrfsuite", "rapidfuzz", "rapidocr", "xllamacpp"),
    *("langchain_anthropic", "langchain_google_genai", "langchain_ollama", "langchain_openai"),
    *("anthropic", "google", "ollama", "openai"),
    *("llguidance", "segment_anything", "tokenizers", "torch", "transformers"),
    *("huggingface_hub", "matplotlib", "ray", "rouge_score", "sacrebleu", "sklearn", "supervision"),
    *("IPython", "ipykernel", "langgraph.checkpoint.sqlite", "nbclient", "nbformat"),
}
Script = Callable[[str, list[BaseMessage], dict[str, Any]], str | AIMessage | Exception]


@pytest.fixture(autouse=True)
def user_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep templates and answers that a test has written away from the user's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(
        "deixis.agents.context.toolbox.default_folder", lambda: tmp_path / "answers"
    )
    return tmp_path / "config" / "deixis"


@pytest.fixture(scope="session")
def hopper() -> Path:
    """The photograph of Grace Hopper: 512 x 600, one face, a name tag."""
    return resolve(POSTS[0].picture)


@pytest.fixture(scope="session")
def collins() -> Path:
    """The photograph of Eileen Collins: 512 x 512, one face."""
    return resolve(POSTS[1].picture)


class ScriptedChat(BaseChatModel):
    """A chat model that says what a test wants: the only way to force a refusal or a crash."""

    name_in_spec: str
    script: Any

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(self, messages: list[BaseMessage], *_: Any, **options: Any) -> ChatResult:
        said = self.script(self.name_in_spec, messages, options)
        if isinstance(said, Exception):
            raise said
        if isinstance(said, str):
            usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
            said = AIMessage(
                said, usage_metadata=usage, response_metadata={"finish_reason": "stop"}
            )
        return ChatResult(generations=[ChatGeneration(message=said)])


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Script], None]]:
    """Give the provider ``scripted:NAME`` its script: ``script(name, messages, options)``.

    ``options["json_schema"]`` is the schema asked for; the script returns a string, a
    whole message, or an exception to raise.
    """

    def install(script: Script) -> None:
        def make(spec: Spec) -> tuple[BaseChatModel, Any]:
            model = ScriptedChat(name_in_spec=spec.name, script=script)
            return model, lambda schema, limit: model.bind(json_schema=schema, max_tokens=limit)

        module = ModuleType("scripted_provider")
        module.make = make  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "scripted_provider", module)
        provider = registry.Provider("scripted_provider:make", "deixis", "test")
        monkeypatch.setitem(registry.PROVIDERS, "scripted", provider)
        registry._load.cache_clear()

    yield install
    registry._load.cache_clear()


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let Ctrl-C raise: a shell that runs the tests in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Run torch in one thread: tiny models are slowed by threads, which wait by spinning."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def fill(schema: dict[str, Any], text: str = "dark blue") -> Any:
    """Return the plainest value that fits a JSON schema: first choices, `text` for strings."""

    def build(node: dict[str, Any]) -> Any:
        if "$ref" in node:
            return build(schema["$defs"][node["$ref"].rpartition("/")[2]])
        if "enum" in node:
            return node["enum"][0]
        if "const" in node:
            return node["const"]
        if node["type"] == "object":
            return {key: build(each) for key, each in node["properties"].items()}
        if node["type"] == "array":
            return [build(node["items"])] * node.get("minItems", 0)
        return {"string": text, "number": 0.5, "integer": 1, "boolean": True}[node["type"]]

    return build(schema)


@pytest.fixture
def filled() -> Callable[..., Any]:
    """The function `fill`, for scripts that answer whatever is asked."""
    return fill


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
def pytest_runtest_setup() -> Generator[None, object, object]:
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
