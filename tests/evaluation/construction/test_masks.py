"""Masks from boxes, by segmenters that look at drawn pictures."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.base.boxes import as_box
from deixis.batch.row import Problem
from deixis.errors import DataError, SettingsError
from deixis.evaluation.construction.masks import MaskTally, make_masks, segmenter_of
from deixis.rows import read_rows
from deixis.settings import Settings
from deixis.tools import registry

pytestmark = pytest.mark.extra("starter")

LEFT, RIGHT = [12.0, 10.0, 38.0, 50.0], [48.0, 12.0, 68.0, 52.0]


def _settings(**roles: str) -> Settings:
    return Settings.model_validate({"name": "test", "schema": "gmner", "roles": roles})


def _entity(text: str, start: int, *boxes: list[float], **more: Any) -> dict[str, Any]:
    regions = [{"box": box} for box in boxes]
    end = start + len(text)
    return {"text": text, "start": start, "end": end, "type": "PER", "regions": regions, **more}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three posts of one picture, which has two rectangles in it."""
    pixels = np.zeros((60, 80, 3), dtype=np.uint8)
    pixels[15:45, 15:35] = pixels[15:50, 50:65] = (200, 80, 30)
    (tmp_path / "pictures").mkdir()
    Image.fromarray(pixels).save(tmp_path / "pictures" / "1.png")
    image = "pictures/1.png"
    write(
        tmp_path,
        {
            "id": 7,
            "text": "Ada and Bob",
            "image": image,
            "size": [80, 60],
            "entities": [_entity("Ada", 0, LEFT, RIGHT), _entity("Bob", 8, LEFT, known="yes")],
            "patches": [LEFT],
        },
        {"id": "8", "text": "Cy", "entities": [_entity("Cy", 0)]},
        {"id": "9", "text": "Di", "image": image, "entities": [_entity("Di", 0, RIGHT)]},
    )
    return tmp_path


def write(folder: Path, *rows: Any) -> None:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / "gold.jsonl").write_text("".join(f"{line}\n" for line in lines))


def rows_of(folder: Path) -> list[Any]:
    return [json.loads(line) for line in (folder / "gold.jsonl").read_text().splitlines()]


def make(folder: Path, spec: str = "grabcut", **more: Any) -> tuple[MaskTally, list[Problem]]:
    problems: list[Problem] = []
    toolbox = segmenter_of(_settings(segmenter=spec))
    out = folder / "new" / "masked.jsonl"
    tally = make_masks(toolbox, folder / "gold.jsonl", out, report=problems.append, **more)
    return tally, problems


def made(folder: Path) -> dict[str, Any]:
    lines = (folder / "new" / "masked.jsonl").read_text().splitlines()
    return {row["id"]: row for row in map(json.loads, lines)}


def test_every_box_has_the_mask_of_what_is_in_it(folder: Path) -> None:
    assert make(folder) == (MaskTally(rows=3, done=3), [])
    rows = {row.id: row for row in read_rows(folder / "new" / "masked.jsonl")}
    ada, bob = rows["7"].entities
    (left, right), (same,) = ada.regions or (), bob.regions or ()
    drawn = np.zeros((60, 80), dtype=bool)
    drawn[15:45, 15:35] = True
    assert left.mask is not None and right.mask is not None and same == left
    mask = left.mask.to_array()
    assert (mask & drawn).sum() / (mask | drawn).sum() > 0.9
    assert right.mask.to_array()[30, 57] and not right.mask.to_array()[:, :40].any()


def test_all_else_of_a_row_stays_and_its_picture_is_found(folder: Path) -> None:
    before = {str(row["id"]): row for row in rows_of(folder)}
    make(folder)
    for id_, row in made(folder).items():
        for entity in row["entities"]:
            for region in entity["regions"]:
                del region["mask"]
        old = before[id_]
        pictures = {"image": "../pictures/1.png"} if "image" in old else {}
        own = {"id": id_, "settings": row["settings"], "input": row["input"]}
        assert row == {**old, **own, **pictures}


def test_finished_rows_are_not_done_again(folder: Path) -> None:
    make(folder)
    out = folder / "new" / "masked.jsonl"
    whole = out.read_bytes()
    lines = whole.splitlines(keepends=True)
    out.write_bytes(lines[0] + lines[1] + lines[2][:40])  # as a kill leaves it
    (folder / "pictures" / "1.png").rename(folder / "gone.png")
    tally, problems = make(folder)
    assert (tally.earlier, tally.done, tally.failed, tally.changed) == (2, 0, 1, 1)
    assert "no such file" in problems[0].error
    (folder / "gone.png").rename(folder / "pictures" / "1.png")
    assert make(folder) == (MaskTally(rows=3, earlier=2, done=1), [])
    assert out.read_bytes() == whole


def test_a_row_that_fails_loses_no_other(folder: Path) -> None:
    (folder / "pictures" / "2.png").write_bytes(b"no picture")
    post = {"text": "x", "entities": [_entity("x", 0, LEFT)]}
    image = {"image": "pictures/1.png"}
    bad = [
        ({**post, "id": "a", "image": "pictures/2.png"}, "pictures/2.png"),
        ({**post, "id": "b"}, "boxes and no picture"),
        ({**post, **image, "id": "c", "size": [60, 80]}, "this one is 80 x 60"),
        (
            {**post, **image, "id": "d", "entities": [_entity("x", 0, [90, 1, 95, 5])]},
            "has no area in the picture",
        ),
        ({"id": "9", "text": "again"}, "the id stands on line 3 too"),
        ({"id": "e", "entities": [{}]}, "entities.0.text: Field required"),
        ("{", "not JSON"),
    ]
    write(folder, *rows_of(folder), *(row for row, _ in bad))
    tally, problems = make(folder)
    assert (tally.rows, tally.done, tally.failed) == (10, 3, 7)
    assert sorted(problem.line for problem in problems) == [4, 5, 6, 7, 8, 9, 10]
    for problem in problems:
        assert bad[problem.line - 4][1] in problem.error
    lines = (folder / "new" / "masked.failures.jsonl").read_text().splitlines()
    assert len(lines) == 7 and list(made(folder)) == ["7", "8", "9"]


def test_a_row_that_changed_is_told_and_done_again_by_renew(folder: Path) -> None:
    make(folder)
    first, *others = rows_of(folder)
    first["entities"][0]["regions"] = [{"box": RIGHT}]
    write(folder, first, *others)
    tally, _ = make(folder)
    assert (tally.earlier, tally.done, tally.changed) == (3, 0, 1)
    assert len(made(folder)["7"]["entities"][0]["regions"]) == 2
    tally, _ = make(folder, renew=True)
    assert (tally.earlier, tally.done, tally.changed) == (2, 1, 1)
    assert len(made(folder)["7"]["entities"][0]["regions"]) == 1
    write(folder, *others)
    with pytest.raises(DataError, match="'7' is no row of"):
        make(folder)
    tally, _ = make(folder, renew=True)
    assert (tally.earlier, tally.done) == (2, 0) and list(made(folder)) == ["8", "9"]


def test_masks_that_are_there_stay(folder: Path) -> None:
    make(folder)
    drawn = made(folder)["9"]
    (folder / "new" / "masked.jsonl").unlink()
    drawn["image"] = "pictures/1.png"
    drawn["entities"][0]["regions"][0]["mask"] = {"size": [60, 80], "counts": "PU4"}
    write(folder, drawn)
    make(folder)
    assert made(folder)["9"]["entities"] == drawn["entities"]


def test_another_segmenter_needs_another_file(folder: Path) -> None:
    make(folder)
    with pytest.raises(SettingsError, match=r"roles\.segmenter"):
        make(folder, "outlines")
    with pytest.raises(SettingsError, match="nobody plays the role 'segmenter'"):
        segmenter_of(_settings(recognizer="crf"))


@pytest.mark.slow
@pytest.mark.extra
def test_sam_is_prompted_with_the_boxes(folder: Path) -> None:
    import transformers as hf

    small = {"hidden_size": 16, "mlp_dim": 32, "num_attention_heads": 2}
    vision = {
        **small, "output_channels": 16, "num_hidden_layers": 2, "image_size": 64, "patch_size": 8,
        "window_size": 3, "global_attn_indexes": [1], "num_pos_feats": 8,
    }  # fmt: skip
    prompts = {"hidden_size": 16, "mask_input_channels": 4, "image_size": 64, "patch_size": 8}
    decoder = {**small, "iou_head_hidden_dim": 16}
    config = hf.SamConfig(
        vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder
    )
    weights = folder / "weights"
    hf.SamModel(config).save_pretrained(weights)
    sizes = {"size": {"longest_edge": 64}, "pad_size": {"height": 64, "width": 64}}
    hf.SamProcessor(hf.SamImageProcessorPil(**sizes)).save_pretrained(weights)
    tally, problems = make(folder, f"sam:{weights}")
    assert (tally.done, problems) == (3, [])
    with Image.open(folder / "pictures" / "1.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    boxes = [as_box(LEFT), as_box(RIGHT)]
    expected = registry.load(f"sam:{weights}", "segmenter").segment(pixels, boxes)
    first = read_rows(folder / "new" / "masked.jsonl")[0].entities[0]
    assert [region.mask for region in first.regions or ()] == expected
    assert tally.missing == sum(
        region.mask is None
        for row in read_rows(folder / "new" / "masked.jsonl")
        for entity in row.entities
        for region in entity.regions or ()
    )
