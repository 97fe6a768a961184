"""TRL itself trains on what is written for it, on the same tokens as a model is asked with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deixis.training.exports.registry import export
from deixis.training.lessons.files import messages_for
from deixis.training.lessons.records import Lessons

from .made import made

pytestmark = [
    pytest.mark.extra("torch", "transformers", "trl", "datasets"),
    pytest.mark.slow,
]


KINDS = ("qwen2.5-vl", "qwen3-vl", "llava")


def loaded(lessons: Lessons) -> Any:
    """Load the file as the page on training says."""
    from datasets import Image, List, load_dataset

    out = lessons.folder
    export(lessons, "trl", out)
    rows = load_dataset(
        "json", data_files=str(out / "trl.jsonl"), split="train", cache_dir=str(out / "cache")
    )
    rows = rows.map(lambda row: {"images": [str(out / file) for file in row["images"]]})
    return rows.cast_column("images", List(Image()))


@pytest.mark.parametrize("kind", KINDS)
def test_sft_trainer_takes_a_step_on_the_answer_alone(
    save_seeing: Callable[[Path, str], None], kind: str, tmp_path: Path
) -> None:
    from trl import SFTConfig, SFTTrainer

    from deixis.llms.local.transformers_inputs import tensors
    from deixis.llms.local.transformers_load import load

    tiny = tmp_path / kind
    save_seeing(tiny, kind)
    longer = {"user": "Text: <post>longer, to be padded</post>"}
    lessons = made(tmp_path, {}, longer, base=f"transformers:{tiny}?family={kind}")
    rows = loaded(lessons)
    config = SFTConfig(
        output_dir=str(tmp_path / "run"),
        max_length=None,
        max_steps=1,
        per_device_train_batch_size=2,
        report_to="none",
        use_cpu=True,
        bf16=False,
        activation_checkpointing=False,
        save_strategy="no",
        disable_tqdm=True,
    )
    asked = load(str(tiny), "cpu", "float32", None)
    processor, tokenizer = asked.processor, asked.tokenizer
    tokenizer.pad_token = "<|im_end|>"
    image, end = (tokenizer.convert_tokens_to_ids(f"<|{mark}|>") for mark in ("image", "im_end"))
    trainer = SFTTrainer(
        model=str(tiny), args=config, train_dataset=rows, processing_class=processor
    )
    batch = trainer.data_collator([rows[0], rows[1]])
    for number, lesson in enumerate(lessons.lessons):
        prompt = tensors(asked, messages_for(tmp_path, lesson), {}, constrained=False)
        ids, labels = (batch[key][number].tolist() for key in ("input_ids", "labels"))
        length = prompt["input_ids"].shape[1]
        assert ids[:length] == prompt["input_ids"][0].tolist()
        assert set(labels[:length]) == {-100}
        trained = [label for label in labels if label != -100]
        assert end in trained and image not in trained
        answer = tokenizer.decode(trained[: trained.index(end)])
        row = json.loads((tmp_path / "trl.jsonl").read_text(encoding="utf-8").splitlines()[number])
        # The tiny model's template ends the line only where an answer follows.
        assert answer.removeprefix("\n") == row["completion"][0]["content"][0]["text"]
    assert trainer.train().training_loss > 0
