"""An entailer of one's own, from rows with pictures to a graph."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis import build_graph
from deixis.errors import DataError, InputError, ModelFileError, SettingsError
from deixis.settings import Settings
from deixis.tools import registry
from deixis.tools.image_text_head import ImageTextHead
from deixis.tools.siglip import Siglip
from deixis.training.own_entailer import EntailerOrder, TrainedEntailer, train_own_entailer
from deixis.training.phrased_rows import read_looks
from tests.tools.tiny_image_text import save_models

from . import squares

pytestmark = [pytest.mark.slow, pytest.mark.extra("train")]

Trained = tuple[EntailerOrder, TrainedEntailer]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return save_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, models: dict[str, Path]) -> Trained:
    """A head on a tiny SigLIP of random weights, trained on 90 pictures of squares."""
    folder = tmp_path_factory.mktemp("own")
    rows = squares.write_rows(folder, 90)
    order = EntailerOrder(rows, folder / "made", base=f"siglip:{models['siglip']}")
    return order, train_own_entailer(order)


def test_what_is_learned_holds_for_pictures_that_were_not_seen(
    trained: Trained, tmp_path: Path
) -> None:
    order, result = trained
    assert result.auc > 0.95 and result.cosine < 0.8, "random weights know nothing of colours"
    assert result.error < 0.1 and (result.pictures, result.shown * 2) == (90, result.asked)
    tool = registry.load(f"image-text-head:{order.out}", "entailer")
    right = 0
    for number in range(12):
        colour = list(squares.COLOURS)[number % 3]
        squares.draw(tmp_path / "new.png", colour, 1000 + number)
        pixels = np.asarray(Image.open(tmp_path / "new.png"))
        fits = tool.entail(pixels, [f"a {name} square" for name in squares.COLOURS])
        right += list(squares.COLOURS)[int(np.argmax(fits))] == colour
    assert right >= 11


def test_the_base_rate_moves_all_odds_alike(trained: Trained) -> None:
    order, _ = trained
    pixels = np.asarray(Image.open(order.rows.parent / "0.png"))
    phrases = ["a red square", "a blue square"]
    spec = f"image-text-head:{order.out}"
    plain, same, rare = (
        np.array(registry.load(f"{spec}{query}", "entailer").entail(pixels, phrases))
        for query in ("", "?base_rate=0.5", "?base_rate=0.1")
    )
    assert same == pytest.approx(plain), "half of what is asked is shown"
    odds = rare / (1 - rare) / (plain / (1 - plain))
    assert odds == pytest.approx(1 / 9)


def test_it_changes_verdicts_of_the_main_graph(
    trained: Trained, models: dict[str, Path], tmp_path: Path
) -> None:
    order, _ = trained
    types = ", ".join(
        f"{{name: {name}, crf: OTHER, description: a {name} square}}" for name in squares.COLOURS
    )
    schema = tmp_path / "colours.yaml"
    schema.write_text(f"types: [{types}]")  # without an expander, a description is what is asked
    text = "red green blue"
    mentions = [
        {"text": name, "start": text.index(name), "end": text.index(name) + len(name), "type": name}
        for name in squares.COLOURS
    ]
    verdicts = {}
    for spec in (f"image-text-head:{order.out}?base_rate=0.5", f"siglip:{models['siglip']}"):
        roles = {"recognizer": "crf", "entailer": spec}
        given = {"name": "t", "schema": str(schema), "roles": roles}
        graph: Any = build_graph(Settings.model_validate(given))
        for number, colour in enumerate(squares.COLOURS):
            picture = str(order.rows.parent / f"{number}.png")
            result = graph.invoke({"image": picture, "text": text, "mentions": mentions})
            found = [each["text"] for each in result["entities"] if _entailed(each)]
            verdicts[spec.partition(":")[0], colour] = found
    told = {colour: verdicts["image-text-head", colour] for colour in squares.COLOURS}
    assert told == {colour: [colour] for colour in squares.COLOURS}
    assert any(verdicts["siglip", colour] != [colour] for colour in squares.COLOURS)


def _entailed(entity: Any) -> bool:
    """Whether it was decided that it can be seen; nobody here can say where."""
    return any((d["step"], d["outcome"]) == ("entail", "yes") for d in entity["decisions"])


def test_a_second_training_asks_the_model_nothing_and_writes_the_same(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, _ = trained
    first = order._replace(out=tmp_path / "first")
    train_own_entailer(first)
    monkeypatch.setattr(Siglip, "vectors", lambda *_: pytest.fail("a picture is looked at"))
    again = order._replace(out=tmp_path / "again")
    train_own_entailer(again)
    for name in ("head.json", "head.npz", "README.md", "training.json"):
        assert (again.out / name).read_bytes() == (first.out / name).read_bytes()


def test_clip_can_be_the_base(models: dict[str, Path], tmp_path: Path) -> None:
    rows = squares.write_rows(tmp_path, 60)
    order = EntailerOrder(rows, tmp_path / "made", base=f"clip:{models['clip']}")
    result = train_own_entailer(order)
    assert result.auc > 0.8 and result.auc > result.cosine + 0.2


def test_a_head_and_its_model_go_together(
    models: dict[str, Path], trained: Trained, tmp_path: Path
) -> None:
    made, folder = trained[0].out, tmp_path / "moved"
    assert files(made) == [str(made), str(models["siglip"])]
    folder.mkdir()
    settings = json.loads((made / "head.json").read_text())
    (folder / "head.npz").write_bytes((made / "head.npz").read_bytes())
    other = {"tool": "clip", "weights": str(models["clip"])}
    for change, said in (
        (other, "not the model that the head in .* was trained on"),
        ({"tool": "sam"}, "head.json: incomplete"),
        ({"base_rate": 1.0}, "head.json: incomplete"),
        ({"calibration": {}}, "head.json: incomplete"),
    ):
        (folder / "head.json").write_text(json.dumps(settings | change))
        with pytest.raises(ModelFileError, match=said):
            files(folder)
    (folder / "head.json").write_text(json.dumps(settings))
    (folder / "head.npz").write_bytes(b"PK")
    with pytest.raises(ModelFileError, match=r"head.npz: the head cannot be read"):
        files(folder)
    with pytest.raises(ModelFileError, match="write image-text-head:FOLDER"):
        ImageTextHead().files()


def files(folder: Path) -> list[str]:
    return ImageTextHead(folder).files()


def test_what_cannot_be_learned_from_is_told(models: dict[str, Path], tmp_path: Path) -> None:
    base = f"siglip:{models['siglip']}"
    rows = squares.write_rows(tmp_path, 12)
    order = EntailerOrder(rows, tmp_path / "made", base=base)
    with pytest.raises(DataError, match="12 pictures to learn from, and 20 are the fewest"):
        train_own_entailer(order)
    with pytest.raises(SettingsError, match="--base hashed: a head is trained on siglip or clip"):
        train_own_entailer(order._replace(base="hashed"))
    with pytest.raises(SettingsError, match="option slope has no effect"):
        train_own_entailer(order._replace(base=f"{base}?slope=2"))
    for picture in tmp_path.glob("*.png"):
        picture.write_bytes(b"no picture")
    with pytest.raises(InputError, match="none of 12 pictures can be looked at; the last: row 11"):
        train_own_entailer(order)


def test_what_is_asked_is_what_the_graphs_ask(tmp_path: Path) -> None:
    box = {"box": [0, 0, 5, 5]}
    entities = [
        {"text": "Ann", "start": 0, "type": "PER", "regions": [box]},
        {"text": "Bob", "start": 8, "type": "PER", "regions": []},
        {"text": "Eve", "start": 16, "type": "PER"},
    ]
    row = {"id": 1, "text": "Ann and Bob and Eve", "image": "a.png", "entities": entities}
    path, results = tmp_path / "rows.jsonl", tmp_path / "results.jsonl"
    path.write_text(json.dumps(row))
    (look,) = read_looks(path, None)
    assert (look.phrases, look.shown) == (("Ann", "Bob"), (True, False)), "nobody looked for Eve"
    assert look.picture == str(tmp_path / "a.png")
    told = {**entities[0], "expression": f"Ann (PER){squares.DASH}a man"}
    results.write_text(json.dumps({**row, "entities": [told, entities[1]]}))
    (look,) = read_looks(path, results)
    assert look.phrases == (told["expression"], "a man", "Bob") and look.shown == (
        True,
        True,
        False,
    )
    second = {**box, "image": 1}
    several = {**row, "images": ["a.png", "b.png"]}
    several["entities"] = [{**entities[0], "regions": [second]}, entities[1]]
    path.write_text(json.dumps(several))
    assert [look.shown for look in read_looks(path, None)] == [(False, False), (True, False)]
    path.write_text(json.dumps({**row, "entities": entities[:1]}))
    with pytest.raises(DataError, match="all 1 are shown; learning takes"):
        read_looks(path, None)
    results.write_text(json.dumps({**row, "id": 2}))
    with pytest.raises(DataError, match="no row has the id of one in"):
        read_looks(path, results)
