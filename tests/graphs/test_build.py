"""Building graphs by name: one of one's own in one file, and what is wrong told in a line."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis import Extraction, Settings, build_graph
from deixis.agents.context.system import GraphOptions, System
from deixis.apps.doctor import examine
from deixis.batch.run import Batch
from deixis.errors import DeixisError, MissingKeyError, SettingsError
from deixis.graphs.build import toolbox_of
from deixis.graphs.registry import find, names
from deixis.llms.box_conventions import convention_of
from deixis.llms.photos import photo

FILE = Path(__file__).with_name("sixth.py")
TEXT = "Grace Hopper of the US Navy"
OWN, POINT = "sixth:SYSTEM", "headlines"
STACK = """roles: {recognizer: crf, expander: "embedded:smollm2-135m"}
options: {max_tokens: 60, cache_folder: answers}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the one file of a graph of one's own, and a stack for it."""
    shutil.copy(FILE, tmp_path)
    (tmp_path / "stack.yaml").write_text(f"{STACK}graph: {OWN}\n")
    return tmp_path


@pytest.fixture
def module(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file where Python finds it."""
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    sys.modules.pop("sixth", None)


@pytest.fixture
def point(module: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file as an installed package brings it, with an entry point."""
    register(module, "headlines = sixth:SYSTEM\nmain = sixth:SYSTEM\nbroken = sixth:SISTEM\n")
    monkeypatch.syspath_prepend(str(module / "."))  # what is installed is read again
    return module


def register(folder: Path, points: str) -> None:
    info = folder / "headlines_of_a_friend-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: headlines-of-a-friend\n")
    (info / "entry_points.txt").write_text(f"[deixis.graphs]\n{points}")


@pytest.fixture
def model(scripted: Any) -> Settings:
    """A stack whose model writes a headline."""
    scripted(lambda name, messages, options: f"{name}: {messages[1].text.splitlines()[-1]}")
    roles = {"recognizer": "crf", "expander": "scripted:editor"}
    return Settings.model_validate({"name": "test", "roles": roles, "options": {"cache": "off"}})


def test_a_graph_of_one_s_own_is_one_file_of_less_than_80_lines() -> None:
    assert len(FILE.read_text().splitlines()) < 80


@pytest.mark.extra
@pytest.mark.parametrize("name", [OWN, POINT])
@pytest.mark.usefixtures("point")
def test_a_graph_of_one_s_own_runs(model: Settings, name: str) -> None:
    graph = build_graph(model, graph=name)
    found = Extraction.model_validate(graph.invoke({"text": TEXT}))
    assert [each.text for each in found.entities] == ["Grace Hopper", "US Navy"]
    assert found.caption == "editor: Name Grace Hopper, US Navy. At most 8 words."
    assert [(each.role, each.calls) for each in found.usage] == [("expander", 1)]
    few = build_graph(model.with_graph(name, words=3)).invoke({"text": TEXT})
    assert few["caption"].endswith("At most 3 words.")


@pytest.mark.extra
@pytest.mark.parametrize("name", [OWN, POINT])
@pytest.mark.usefixtures("point")
def test_a_batch_takes_it(model: Settings, tmp_path: Path, name: str) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [{"id": f"r{number}", "text": f"{TEXT} {number}"} for number in range(3)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = model.with_graph(name)
    assert Batch(settings, source, out).run().done == 3
    captions = {json.loads(line)["caption"] for line in out.read_text().splitlines()}
    assert captions == {"editor: Name Grace Hopper, US Navy. At most 8 words."}
    assert {each.part for each in examine(settings)} >= {"recognizer", "expander"}


@pytest.mark.process
@pytest.mark.slow
def test_the_command_line_takes_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a user has it: a file in the folder where the command is given, nothing installed."""
    rows = folder / "in.jsonl"
    rows.write_text(json.dumps({"id": "a", "text": TEXT}) + "\n")

    def deixis(*arguments: str) -> str:
        command = [str(Path(sys.executable).with_name("deixis")), *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    found = json.loads(deixis("run", "-", TEXT, "--stack", "stack.yaml", "--json"))
    assert [each["prompt"] for each in found["replies"]] == ["headline 1"]
    deixis("batch", "in.jsonl", "--stack", "stack.yaml", "--out", "out.jsonl")
    assert json.loads((folder / "out.jsonl").read_text())["caption"] == found["caption"]
    register(folder, "headlines = sixth:SYSTEM\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))  # as if it were installed
    shown = {each["name"]: each for each in json.loads(deixis("graphs", "--json"))}
    assert shown[POINT]["needs"] == ["recognizer", "expander"]
    assert shown[POINT]["options"] == {"words": 8}


@pytest.mark.usefixtures("point")
def test_graphs_are_known_by_name(model: Settings) -> None:
    assert {"e2e", "headlines", "main"} <= set(names())
    assert find("main").name == "main", "no package takes the place of a graph of Deixis"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("man", r"there is no graph 'man' \(did you mean 'main'\?\); known: "),
        ("headline", r"no graph 'headline' \(did you mean 'headlines'\?\)"),
        ("", "there is no graph ''"),
        ("no_such_module:SYSTEM", "'no_such_module:SYSTEM' cannot be imported: .*no_such_module"),
        ("sixth:SISTEM", "'sixth:SISTEM' cannot be imported: .*SISTEM"),
        ("broken", "'broken' cannot be imported: .*SISTEM"),
        ("sixth:", "'sixth:' cannot be imported"),
        (":SYSTEM", "':SYSTEM' cannot be imported"),
        ("sixth:Options", "'sixth:Options' is no deixis.agents.context.system.System"),
        ("wrong:SYSTEM", r"'wrong:SYSTEM' cannot be imported: SyntaxError: .*wrong\.py"),
        ("failing:SYSTEM", "'failing:SYSTEM' cannot be imported: ZeroDivisionError: "),
    ],
)
def test_a_wrong_graph_is_told(model: Settings, point: Path, name: str, said: str) -> None:
    (point / "wrong.py").write_text("def (:\n")
    (point / "failing.py").write_text("1 / 0\n")
    with pytest.raises(SettingsError, match=said) as caught:
        build_graph(model, graph=name)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("module")
def test_a_missing_role_is_told(model: Settings) -> None:
    said = "the graph 'e2e' needs the role 'vlm', which nobody plays (stack 'test'); name a model"
    with pytest.raises(SettingsError, match=re.escape(said)):
        build_graph(model, graph="e2e")
    with pytest.raises(SettingsError, match="'headlines' needs the role 'expander'"):
        build_graph(model.with_roles({"expander": None}), graph=OWN)
    with pytest.raises(SettingsError, match="'main' needs the role 'recognizer'"):
        build_graph(model.with_roles({"recognizer": "none"}), graph="main")


@pytest.mark.usefixtures("module")
def test_a_wrong_option_of_a_graph_is_told(model: Settings) -> None:
    for options, said in (({"word": 3}, r"did you mean 'words'\?"), ({"words": 0}, "words")):
        with pytest.raises(SettingsError, match="graph_options of 'headlines': ") as caught:
            build_graph(model.with_graph(OWN, **options))
        assert said.replace("\\", "") in str(caught.value)
    with pytest.raises(SettingsError, match="graph_options of 'main': "):
        build_graph(Settings.load().with_graph("main", words=3))


UNUSED = {
    "recognizer": "openai:any",  # no key
    "committee": ["openai:any"],
    "voter": "opnai:any",  # no such provider
    "detector": "no-such-tool",
    "embedder": "no-such-tool",
}


@pytest.mark.extra
def test_roles_that_a_graph_does_not_use_are_left_alone(
    scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    scripted(lambda *_: "Grace Hopper|PER|None")
    settings = Settings.load().with_roles({**UNUSED, "vlm": "scripted:any"})
    out = build_graph(settings, graph="e2e").invoke({"text": TEXT})
    assert [each["text"] for each in out["entities"]] == ["Grace Hopper"]
    parts = {each.part: each.fix for each in examine(settings.with_graph("e2e"))}
    assert {"vlm", "segmenter"} <= set(parts) and parts["vlm"] == ""
    assert not set(parts) & {*UNUSED, "reader", "expander", "templater"}


@pytest.mark.extra
def test_roles_that_a_graph_uses_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    settings = Settings.load().with_roles({"vlm": "openai:any"})
    with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
        build_graph(settings, graph="e2e").invoke({"text": TEXT})
    for role in ("vlm", "segmenter"):
        with pytest.raises(DeixisError, match="no-such"):
            build_graph(settings.with_roles({role: "no-such:any"}), graph="e2e")


@pytest.mark.parametrize("spec", ["embedded:smollm2-135m", "gguf:model.gguf?context=512"])
def test_a_model_without_eyes_is_no_entailer(spec: str) -> None:
    said = f"^entailer: {re.escape(spec)} takes no pictures; the role needs a model with eyes"
    with pytest.raises(SettingsError, match=said):
        build_graph(Settings.load().with_roles({"entailer": spec}))
    context: Any = {"entailer": spec}
    with pytest.raises(SettingsError, match=said):
        build_graph().invoke({"text": TEXT}, context=context)
    settings = Settings.load().with_roles({"vlm": "openai:any", "entailer": spec})
    build_graph(settings, graph="e2e")  # which has no entailer


@pytest.mark.usefixtures("module")
def test_an_agent_that_wants_options_of_another_graph_is_told(model: Settings) -> None:
    class Other(GraphOptions):
        shots: int = 1

    toolbox = toolbox_of(model.with_graph(OWN, words=3))
    with pytest.raises(TypeError, match=r"wants Other, .* has the options Options; .*=Other$"):
        toolbox.graph_options(Other)
    assert toolbox.graph_options(GraphOptions).model_dump() == {"words": 3}


def test_every_graph_says_what_it_needs_of_the_roles_there_are() -> None:
    roles = set(Settings.load().roles.model_dump())
    for name in names():
        system = find(name)
        assert isinstance(system, System) and system.name == name and system.about
        assert {*system.needs, *system.uses} <= roles
        assert not {*system.needs} & {*system.uses}


def test_the_stack_of_e2e_is_its_own() -> None:
    toolbox = toolbox_of(Settings.load("e2e"))
    assert toolbox.cast.system is not None and toolbox.cast.system.name == "e2e"
    assert [seat.role for seat in toolbox.cast.seats()] == ["vlm", "segmenter"]
    assert build_graph("e2e").name == "deixis e2e"


@pytest.mark.parametrize("size", [(1200, 675), (4000, 1400), (1080, 3000), (300, 200)])
def test_the_stack_of_e2e_shows_pictures_of_its_authors_size(size: tuple[int, int]) -> None:
    """Also where the picture was made smaller before: the model sees as much as of the whole."""
    settings = Settings.load("e2e")
    convention = convention_of(settings.roles.vlm or "")
    assert convention is not None and convention.resize is not None
    sent = photo(np.zeros((*size[::-1], 3), np.uint8), settings.options.image_side)
    seen, wanted = (convention.resize.frame(each) for each in ((sent.width, sent.height), size))
    assert 256 * 28**2 <= seen[0] * seen[1] <= 1024 * 28**2
    assert all(abs(one - other) <= 28 for one, other in zip(seen, wanted, strict=True))
