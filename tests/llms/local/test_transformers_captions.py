"""Models that describe pictures and can do nothing else: tiny BLIP-2 and Florence-2."""

import base64
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from PIL import Image
from pydantic import BaseModel, ConfigDict
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from deixis.agents.context.cast import Seat
from deixis.errors import ModelCallError, ModelFileError, SettingsError
from deixis.llms import registry
from deixis.llms.structured import ask
from deixis.prompts import Prompt

pytestmark = [pytest.mark.slow, pytest.mark.extra]

KINDS = ("blip2", "florence2")
BEGIN, END, FILL, IMAGE = range(256, 260)
WORDS = "Describe with a paragraph what is shown in the image."
# The wide initial weights let what comes in tell in what comes out.
SMALL = {"hidden_size": 32, "intermediate_size": 64, "initializer_range": 0.3}
LAYERS = {"num_hidden_layers": 2, "num_attention_heads": 2}
ENDS = {"bos_token_id": BEGIN, "eos_token_id": END, "pad_token_id": FILL}


class Look(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tall: bool


def _tokenizer(*special: str, **named: Any) -> Any:
    """One token a byte, and one before every text, as OPT has."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    inner.add_special_tokens(["<s>", "</s>", "<pad>", *special])
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", BEGIN)])
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        model_input_names=["input_ids", "attention_mask"],
        **named,
    )


def _save_blip2(folder: Path) -> None:
    words = {"model_type": "opt", "hidden_size": 32, "ffn_dim": 64, "word_embed_proj_dim": 32}
    config = hf.Blip2Config(
        vision_config={**SMALL, **LAYERS, "image_size": 28, "patch_size": 14},
        qformer_config={**SMALL, **LAYERS, "vocab_size": 260},
        text_config={**words, **LAYERS, **ENDS, "vocab_size": 260, "init_std": 0.3},
        num_query_tokens=4,
        image_token_index=IMAGE,
        initializer_range=0.3,
    )
    model = hf.Blip2ForConditionalGeneration(config)
    torch.nn.init.normal_(model.query_tokens)
    model.save_pretrained(folder)
    eyes = BlipImageProcessorPil(size={"height": 28, "width": 28})
    hf.Blip2Processor(eyes, _tokenizer(), num_query_tokens=4).save_pretrained(folder)


def _save_florence2(folder: Path) -> None:
    layers = {
        f"{side}_{name}": size
        for side in ("encoder", "decoder")
        for name, size in (("layers", 2), ("attention_heads", 2), ("ffn_dim", 64))
    }
    words = {"model_type": "bart", "d_model": 32, "vocab_size": 260, "init_std": 0.3}
    config = hf.Florence2Config(
        vision_config={
            "embed_dim": (8, 16, 16, 32),
            "num_heads": (1, 2, 2, 4),
            "num_groups": (1, 2, 2, 4),
            "depths": (1, 1, 1, 1),
            "projection_dim": 32,
            "window_size": 4,
        },
        text_config={
            **words,
            **layers,
            **ENDS,
            "decoder_start_token_id": END,
            "forced_eos_token_id": None,
        },
        image_token_id=IMAGE,
    )
    hf.Florence2ForConditionalGeneration(config).save_pretrained(folder)
    eyes = CLIPImageProcessorPil(size={"height": 64, "width": 64}, do_center_crop=False)
    eyes.image_seq_length = 2 * 2 + 1  # one in 32 pixels a side, and their mean
    tokenizer = _tokenizer("<image>", extra_special_tokens={"image_token": "<image>"})
    hf.Florence2Processor(eyes, tokenizer).save_pretrained(folder)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the folders of the tiny models, by kind."""
    root = tmp_path_factory.mktemp("captioners")
    for kind, save in zip(KINDS, (_save_blip2, _save_florence2), strict=True):
        torch.manual_seed(1)
        save(root / kind)
    return {kind: root / kind for kind in KINDS}


@pytest.fixture
def describe(saved: dict[str, Path]) -> Callable[..., AIMessage]:
    """Show a model pictures of colours, with a text."""

    def said(kind: str, *colours: str, text: str = "Describe it.", query: str = "") -> AIMessage:
        blocks: list[Any] = [{"type": "text", "text": text}, *map(_picture, colours)]
        messages = [SystemMessage("Be brief."), HumanMessage(blocks)]
        model = registry.load(f"transformers:{saved[kind]}?{query}").model
        reply: AIMessage = model.invoke(messages, max_tokens=12)
        return reply

    return said


def _picture(colour: str) -> dict[str, str]:
    file = io.BytesIO()
    Image.new("RGB", (112, 84), colour).save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    return {"type": "image", "base64": data, "mime_type": "image/png"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_picture_is_described_whatever_the_text_says(describe: Any, kind: str) -> None:
    red, blue = describe(kind, "red"), describe(kind, "blue")
    assert red.text and red.text != blue.text
    assert describe(kind, "red", text="<OD> Where? </s><image>").text == red.text
    prompt = {"blip2": 4 + len("<"), "florence2": 5 + len(WORDS) + len("<>")}[kind]
    assert red.usage_metadata is not None and red.usage_metadata["input_tokens"] == prompt


@pytest.mark.parametrize("kind", KINDS)
def test_the_description_is_that_of_transformers_itself(
    describe: Any, saved: dict[str, Path], kind: str
) -> None:
    folder, picture = saved[kind], Image.new("RGB", (112, 84), "red")
    processor = hf.AutoProcessor.from_pretrained(folder, backend="pil")
    prompt = {"blip2": "", "florence2": "<MORE_DETAILED_CAPTION>"}[kind]
    inputs = processor(images=picture, text=[prompt], return_tensors="pt")
    model = hf.AutoModelForImageTextToText.from_pretrained(folder)
    tokens = model.generate(**inputs, max_new_tokens=12, do_sample=False, num_beams=1)[0].tolist()
    written = tokens[1 if kind == "florence2" else inputs["input_ids"].shape[1] :]
    expected = processor.tokenizer.decode(written, skip_special_tokens=True)
    assert describe(kind, "red").text.replace("<image>", "") == expected != ""


@pytest.mark.parametrize("kind", KINDS)
def test_descriptions_asked_for_at_once_are_those_asked_for_alone(describe: Any, kind: str) -> None:
    colours = ["red", "blue", "green", "white", "black", "yellow"]
    alone = [describe(kind, colour).text for colour in colours]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda colour: describe(kind, colour).text, colours)) == alone
    assert len(set(alone)) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_it_answers_no_questions(saved: dict[str, Path], kind: str) -> None:
    backend = registry.load(f"transformers:{saved[kind]}")
    with pytest.raises(SettingsError, match="it can play the role captioner alone"):
        ask(backend, Prompt("Be brief.", "Is she tall?", "look", 1), Look, max_tokens=40)


def test_it_is_told_before_anything_is_asked(saved: dict[str, Path], tmp_path: Path) -> None:
    spec = f"transformers:{saved['florence2']}?max_tokens=30"
    for role in ("vlm", "expander", "committee"):
        with pytest.raises(SettingsError, match=f"{role}: .* can play the role captioner alone"):
            Seat(role, spec, is_tool=False).check()
    Seat("captioner", spec, is_tool=False).check()
    for other in ("", "{", '{"model_type": "llama"}'):
        (tmp_path / "config.json").write_text(other)
        Seat("vlm", f"transformers:{tmp_path}", is_tool=False).check()
    Seat("vlm", "transformers:nobody/nothing", is_tool=False).check()


@pytest.mark.parametrize(("colours", "shown"), [((), 0), (("red", "blue"), 2)])
@pytest.mark.parametrize("kind", KINDS)
def test_it_wants_one_picture(describe: Any, kind: str, colours: Any, shown: int) -> None:
    with pytest.raises(ModelCallError, match=f"describes one picture; it was shown {shown}"):
        describe(kind, *colours)


def test_a_limit_on_pixels_is_refused(describe: Any) -> None:
    with pytest.raises(SettingsError, match="max_pixels: the model has no such limit"):
        describe("blip2", "red", query="max_pixels=12544")


def test_another_model_without_a_chat_template_is_none_that_describes(tmp_path: Path) -> None:
    eyes = hf.CLIPVisionConfig(image_size=28, patch_size=14, **SMALL, **LAYERS)
    words = hf.LlamaConfig(vocab_size=260, **SMALL, **LAYERS)
    config = hf.LlavaConfig(vision_config=eyes, text_config=words, image_token_id=IMAGE)
    hf.LlavaForConditionalGeneration(config).save_pretrained(tmp_path)
    small = CLIPImageProcessorPil(size={"shortest_edge": 28})
    hf.LlavaProcessor(small, _tokenizer("<image>"), patch_size=14).save_pretrained(tmp_path)
    with pytest.raises(ModelFileError, match="has no chat template"):
        registry.load(f"transformers:{tmp_path}").model.invoke("Hi")
