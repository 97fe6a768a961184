"""What a recognizer found in a text is kept beside the answers of models, bit for bit."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from deixis import Settings
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.recognize import recognize
from deixis.llms.cache.llm_cache import LlmCache
from deixis.llms.cache.recognized import FOLDER
from deixis.tools.tagger.crf import MODEL_FOLDER, CrfTagger
from deixis.tools.tagger.minilm import MiniLmTagger

pytestmark = pytest.mark.extra

TEXT = "Grace Hopper of the US Navy taught at Harvard, says Ann"


@pytest.fixture
def toolbox_in(tmp_path: Path) -> Any:
    """Make a toolbox whose cache lies in the test's folder."""

    def make(cache: str = "use", expander: str | None = "ollama:m") -> Toolbox:
        given = {
            "name": "test",
            "roles": {"recognizer": "minilm-ner", "expander": expander, "committee": []},
            "options": {"cache": cache, "cache_folder": tmp_path / "llm"},
        }
        return Toolbox(Settings.model_validate(given))

    return make


def ask(toolbox: Toolbox, text: str = TEXT) -> str:
    """Return the update of the node, every float told exactly."""
    return json.dumps(recognize({"text": text}, toolbox))


@pytest.fixture
def weighed(monkeypatch: Any) -> list[str]:
    """Return the texts that a network was run for."""
    texts, weigh = list[str](), MiniLmTagger.weigh

    def note(self: Any, text: str, *, rivals: bool = True) -> Any:
        texts.append(text)
        return weigh(self, text, rivals=rivals)

    monkeypatch.setattr(MiniLmTagger, "weigh", note)
    return texts


def test_the_same_text_is_read_once_and_gives_the_same_bits(
    toolbox_in: Any, weighed: list[str]
) -> None:
    first = ask(toolbox_in())
    assert weighed == [TEXT] and '"confidence": 0.' in first
    assert ask(toolbox_in()) == ask(toolbox_in("replay")) == first and weighed == [TEXT]
    assert ask(toolbox_in("refresh")) == ask(toolbox_in("off")) == first
    assert weighed == [TEXT] * 3
    ask(toolbox_in(), TEXT + ".")
    assert weighed[3:] == [TEXT + "."], "another text"


def test_what_is_cleared_or_damaged_is_found_anew(
    toolbox_in: Any, weighed: list[str], tmp_path: Path
) -> None:
    first = ask(toolbox_in())
    LlmCache(tmp_path / "llm").clear()
    assert ask(toolbox_in()) == first and len(weighed) == 2
    store = toolbox_in().recognized._store
    ((key, _),) = store.rows()
    for foreign in (b"[]", b"no JSON", b'[[[0, 5, "PER", "high", null, null, null]], []]'):
        store.write(key, foreign)
        assert ask(toolbox_in()) == first
    assert len(weighed) == 5
    (tmp_path / "llm" / FOLDER / "cache.db").write_bytes(b"no database" * 1000)
    assert ask(toolbox_in()) == first, "a folder that fails costs time alone"


def test_texts_go_where_prompts_go_and_nowhere_else(toolbox_in: Any, tmp_path: Path) -> None:
    ask(toolbox_in(expander=None))
    ask(toolbox_in("off"))
    assert not (tmp_path / "llm").exists()
    ask(toolbox_in())
    assert (tmp_path / "llm" / FOLDER).is_dir()


def test_other_weights_have_another_digest(tmp_path: Path) -> None:
    own = tmp_path / "crf"
    shutil.copytree(MODEL_FOLDER, own)
    assert CrfTagger(own).digest == CrfTagger().digest != MiniLmTagger().digest
    settings = json.loads((own / "recognizer.json").read_text())
    (own / "recognizer.json").write_text(json.dumps({**settings, "price": 0.5}))
    assert CrfTagger(own).digest != CrfTagger().digest
