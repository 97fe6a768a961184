"""Tools that run out of memory and go on: the sample's warnings say so, and nothing is lost."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from deixis.agents.main.entail import entail
from deixis.agents.observe import observe
from deixis.agents.segment import segment
from deixis.graphs.build import perform
from deixis.schema import Mask
from deixis.testing import tools
from deixis.tools.base import Detection, Picture, warn
from deixis.weights.short_memory import in_batches

pytestmark = [pytest.mark.slow, pytest.mark.extra]


class Model:
    """Finds every phrase in the same place; its first pass does not fit into memory."""

    labels: tuple[str, ...] | None = None

    def __init__(self) -> None:
        self.passes = 0

    def _find(self, phrases: Sequence[str]) -> list[float]:
        self.passes += 1
        if self.passes == 1:
            import torch

            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return [0.9] * len(phrases)

    def detect(self, picture: Picture, phrases: Sequence[str]) -> list[Detection]:
        done = in_batches(self._find, phrases, 4, "tight")
        warn(done.warning)
        box = (10.0, 10.0, 50.0, 50.0)
        scored = zip(phrases, done.results, strict=True)
        return [Detection(phrase, box, score) for phrase, score in scored]

    def entail(self, picture: Picture, expressions: Sequence[str]) -> list[float]:
        done = in_batches(self._find, expressions, 4, "tight")
        warn(done.warning)
        return done.results


@pytest.fixture
def tight() -> Iterator[str]:
    with tools(tight=Model()):
        yield "tight"


def performed(agent: Any) -> Any:
    """The agent as a node runs it."""
    return lambda state, toolbox: perform(agent, state, toolbox)


def messages(update: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["step"], each["message"]) for each in update["notices"].values()]


def test_what_is_seen_is_seen_though_memory_was_short(
    described: dict[str, Any], toolbox_of: Any, run: Any, tight: str
) -> None:
    toolbox = toolbox_of(detector=tight, objects=["logo", "flag"])
    update = run(performed(observe), described, toolbox)
    assert messages(update) == [("observe", "tight: out of memory with 3 items; went on with 2")]
    assert len(update["observation"]["objects"]) == 3
    again = run(performed(observe), described, toolbox)
    assert again["notices"] == {}, "the next sample had memory enough"


@pytest.mark.parametrize("role", ["detector", "entailer"])
def test_descriptions_are_judged_though_memory_was_short(
    described: dict[str, Any], toolbox_of: Any, run: Any, tight: str, role: str
) -> None:
    toolbox = toolbox_of(**{role: tight})
    update = run(performed(entail), described, toolbox)
    assert messages(update) == [("entail", "tight: out of memory with 2 items; went on with 1")]
    assert [each["groundable"] for each in update["verdicts"].values()] == [True, True]
    assert run(performed(entail), described, toolbox)["notices"] == {}


def test_masks_are_drawn_though_memory_was_short(
    described: dict[str, Any],
    toolbox_of: Any,
    run: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch
    import transformers as hf

    size = {"image_size": 32, "patch_size": 8}
    config = hf.SamConfig(
        vision_config={**size, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1,
                       "mlp_dim": 8, "output_channels": 8, "num_pos_feats": 4,
                       "global_attn_indexes": [0], "initializer_range": 0.3},
        prompt_encoder_config={**size, "hidden_size": 8, "mask_input_channels": 4},
        mask_decoder_config={"hidden_size": 8, "num_attention_heads": 1, "mlp_dim": 8,
                             "iou_head_hidden_dim": 8},
    )  # fmt: skip
    hf.SamModel(config).save_pretrained(tmp_path)
    sizes = {"size": {"longest_edge": 32}, "pad_size": {"height": 32, "width": 32}}
    hf.SamProcessor(hf.SamImageProcessorPil(**sizes)).save_pretrained(tmp_path)
    decode, passes = hf.SamModel.forward, []

    def short(self: Any, *args: Any, input_boxes: Any, **kwargs: Any) -> Any:
        passes.append(input_boxes.shape[1])
        if len(passes) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        out = decode(self, *args, input_boxes=input_boxes, **kwargs)
        out.pred_masks = torch.ones_like(out.pred_masks)
        return out

    monkeypatch.setattr(hf.SamModel, "forward", short)
    boxes = [[9.0, 9.0, 40.0, 50.0], [5.0, 5.0, 60.0, 50.0], [0.0, 0.0, 20.0, 20.0]]
    regions = {"e1": [{"box": box} for box in boxes[:2]], "e2": [{"box": boxes[2]}]}
    toolbox = toolbox_of().for_context({"segmenter": f"sam:{tmp_path}"})
    update = run(performed(segment), {**described, "regions": regions}, toolbox)
    assert messages(update) == [("segment", "sam: out of memory with 3 items; went on with 2")]
    assert passes == [3, 2, 1]
    masks = [region["mask"] for each in update["regions"].values() for region in each]
    assert [Mask.model_validate(each).to_array().shape for each in masks] == [(300, 400)] * 3
