"""A recognizer of one's own types, from rows to a graph."""

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.agents.context.toolbox import Toolbox
from deixis.agents.main.recognize import recognize
from deixis.errors import InputError, SettingsError
from deixis.settings import Settings
from deixis.tools.tagger.crf import CrfTagger
from deixis.tools.tagger.minilm import MiniLmTagger
from deixis.training import own_recognizer
from deixis.training.network_recipe import Recipe
from deixis.training.own_recognizer import Order, Trained, train_own

from . import kitchen

pytestmark = [pytest.mark.slow, pytest.mark.extra("train")]

FAST = Recipe(epochs=6, rate=3e-3, head_rate=1e-2, dropout=0.0)


def toolbox_of(schema: object, recognizer: str) -> Toolbox:
    roles = {"recognizer": recognizer}
    return Toolbox(Settings.model_validate({"name": "t", "schema": str(schema), "roles": roles}))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: Any, weights: Path) -> tuple[Order, Trained]:
    """A recognizer of recipes, trained in seconds."""
    folder = Path(tmp_path_factory.mktemp("own"))
    rows = [kitchen.row(number, regions=[]) for number in range(120)]
    path = kitchen.write(folder / "rows.jsonl", rows[:100])
    dev = kitchen.write(folder / "dev.jsonl", rows[100:])
    order = Order(path, folder / "made", dev=dev, encoder=str(weights), recipe=FAST)
    return order, train_own(order)


def test_what_is_learned_is_found_with_its_types(trained: tuple[Order, Trained]) -> None:
    order, result = trained
    text = "Stir the soy sauce in well.\nThen take a sieve, please"
    spans = MiniLmTagger(order.out).tag(text)
    found = [(text[s.start : s.end], s.type, s.fine_type) for s in spans]
    assert found == [("soy sauce", "ingredient", "sauce"), ("sieve", "tool", None)]
    assert [s.type for s in CrfTagger(order.out / "crf").tag(text)] == ["ingredient", "tool"]
    assert result.dev["network"]["all"].f1 > 0.95 and result.held_out["network"] > 0.95
    assert result.held_out["crf"] > 0.95 and result.dev["crf"]["all"].gold == 40
    assert all(0.0 < s.confidence <= 1.0 and s.shown_prior < 0.05 for s in spans), "never shown"


def test_the_folder_says_how_it_was_made(trained: tuple[Order, Trained]) -> None:
    order, result = trained
    about = json.loads((order.out / "training.json").read_text())
    assert about["result"] == json.loads(json.dumps(result.document()))
    assert set(about["rows"]) == {"rows", "dev"} and len(about["rows"]["rows"]["sha256"]) == 64
    names = {str(path.relative_to(order.out)) for path in order.out.rglob("*") if path.is_file()}
    assert names == {
        *("README.md", "model.onnx", "recognizer.json", "schema.yaml", "tokenizer.json"),
        *("training.json", "crf/lexicon.tsv.gz", "crf/recognizer.json", "crf/weights.npz"),
    }
    assert "- ingredient: 100" in (order.out / "README.md").read_text()


def test_a_graph_finds_the_types_of_its_schema(trained: tuple[Order, Trained]) -> None:
    order, _ = trained
    spec = f"minilm-ner:{order.out}"
    toolbox: Toolbox = toolbox_of(order.out / "schema.yaml", spec)
    state: Any = {"text": "Stir the pesto in well. Then take a ladle, please"}
    update = recognize(state, toolbox)
    found = [(each["text"], each["type"]) for each in update["mentions"].values()]
    assert found == [("pesto", "ingredient"), ("ladle", "tool")]
    assert [kind["fine_type"] for kind in update["kinds"].values()] == ["sauce"]
    with pytest.raises(SettingsError, match=r"knows ingredient and tool; say in .*'gmner'"):
        toolbox_of("gmner", spec)


def test_a_schema_may_part_a_tag(trained: tuple[Order, Trained], tmp_path: Path) -> None:
    spec, path = f"minilm-ner:{trained[0].out}", tmp_path / "own.yaml"
    herb = "{name: spice, crf: ingredient, fine_types: [herb]}"
    path.write_text(f"types: [{{name: other, crf: ingredient}}, {herb}]")
    texts: Any = [{"text": f"Stir the {name} in well. Then"} for name in ("thyme", "pesto")]
    toolbox = toolbox_of(path, spec)
    found = [next(iter(recognize(text, toolbox)["mentions"].values()))["type"] for text in texts]
    assert found == ["spice", "other"]
    path.write_text("types: [{name: other, crf: ingredent}]")
    with pytest.raises(SettingsError, match=r"crf: ingredent of other \(did you mean 'ingredient'"):
        toolbox_of(path, spec)


def test_rows_without_regions_leave_the_prior_open(weights: Path, tmp_path: Path) -> None:
    rows = kitchen.write(tmp_path / "rows.jsonl", [kitchen.row(k) for k in range(16)])
    order = Order(rows, tmp_path / "a", encoder=str(weights), recipe=Recipe(epochs=1))
    result = train_own(order)
    assert CrfTagger(order.out / "crf").tag("Stir the sage in well. ")[0].shown_prior is None
    assert "tool: 16 mentions; of fewer than 20 little is learned" in result.warnings()
    again = order._replace(out=tmp_path / "b")
    train_own(again)
    names = [path.relative_to(order.out) for path in order.out.rglob("*") if path.is_file()]
    one, two = ([(made / n).read_bytes() for n in names] for made in (order.out, again.out))
    assert one == two, "the same rows and seed make the same folder"


def test_a_place_that_is_taken_is_told_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_recognizer, "read_tagged", lambda *_: pytest.fail("rows are read"))
    (tmp_path / "mine").write_text("mine")
    rows = kitchen.write(tmp_path / "rows.jsonl", [])
    for out in (tmp_path, tmp_path / "mine"):
        with pytest.raises(InputError, match="is there already"):
            train_own(Order(rows, out))
    with pytest.raises(InputError, match="is no file"):
        train_own(Order(tmp_path / "nothing", tmp_path / "out"))
