"""Tiny models of Qwen-VL's kinds and a LLaVA, with random weights, in folders as real ones are.

They are read and trained as real ones are, and say nothing of use until they have been trained.
Import this only where torch and transformers are installed.
"""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

SPECIAL = ("<|im_start|>", "<|im_end|>", "<|image|>", "<|video|>", "<s>", "<v>", "</v>")
START, END, IMAGE, VIDEO, BEGIN, VISION, _ = range(256, 256 + len(SPECIAL))
TEMPLATE = """\
{% for message in messages %}<|im_start|>{{ message.role }}
{% for block in message.content %}{% if block.type == 'image' %}<v><|image|></v>{% else %}\
{{ block.text }}{% endif %}{% endfor %}<|im_end|>
{% endfor %}<|im_start|>assistant"""
QWEN = {
    "qwen2-vl": (hf.Qwen2VLConfig, hf.Qwen2VLForConditionalGeneration),
    "qwen2.5-vl": (hf.Qwen2_5_VLConfig, hf.Qwen2_5_VLForConditionalGeneration),
    "qwen3-vl": (hf.Qwen3VLConfig, hf.Qwen3VLForConditionalGeneration),
}
KINDS = (*QWEN, "llava")
# The wide initial weights let what comes in tell in what comes out.
SMALL = {"hidden_size": 32, "intermediate_size": 64, "initializer_range": 0.3}
TEXT: dict[str, Any] = {
    **SMALL,
    "vocab_size": 270,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 1024,
    "eos_token_id": END,
}
ROPE = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [1, 1, 2]}
EYES: dict[str, Any] = {  # each family reads what it knows
    **SMALL,
    "patch_size": 14,
    "out_hidden_size": 32,
    "embed_dim": 32,
    "depth": 2,
    "num_heads": 2,
    "deepstack_visual_indexes": [0],
    "num_position_embeddings": 64,
}


def tokenizer(texts: Sequence[str] = (), pieces: int = 0) -> Any:
    """One token a byte, and one before every text, as LLaVA 1.5 has.

    Args:
        texts: what some more tokens are made for.
        pieces: at most so many.
    """
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = _merges(texts, len(letters) + pieces)
    tokens = [*letters, *SPECIAL, *dict.fromkeys("".join(pair) for pair in merges)]
    inner = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
    inner.add_special_tokens(list(SPECIAL))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", BEGIN)])
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token="<s>",
        eos_token="<|im_end|>",
        extra_special_tokens={"image_token": "<|image|>", "video_token": "<|video|>"},
        chat_template=TEMPLATE,
        model_input_names=["input_ids", "attention_mask"],
    )


def _merges(texts: Sequence[str], size: int) -> list[tuple[str, str]]:
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    learner.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    )
    return [(one, other) for one, other in json.loads(learner.to_str())["model"]["merges"]]


def _save_qwen(folder: Path, kind: str, words: Any, text: dict[str, Any], share: float) -> None:
    config_of, model_of = QWEN[kind]
    third = text["head_dim"] // 8
    rope = {**ROPE, "mrope_section": [third, third, text["head_dim"] // 2 - 2 * third]}
    config = config_of(
        text_config={**text, "rope_parameters": rope},
        vision_config={**EYES, "out_hidden_size": text["hidden_size"]},
        image_token_id=IMAGE,
        video_token_id=VIDEO,
        vision_start_token_id=VISION,
    )
    _save(model_of(config), folder, share)
    Qwen2VLImageProcessorPil(patch_size=14).save_pretrained(folder)
    words.save_pretrained(folder)


def _save_llava(folder: Path, words: Any, text: dict[str, Any], share: float) -> None:
    eyes = hf.CLIPVisionConfig(
        num_hidden_layers=2, num_attention_heads=2, image_size=28, patch_size=14, **SMALL
    )
    config = hf.LlavaConfig(
        vision_config=eyes, text_config=hf.LlamaConfig(**text), image_token_id=IMAGE
    )
    _save(hf.LlavaForConditionalGeneration(config), folder, share)
    hf.LlavaProcessor(
        CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}),
        words,
        patch_size=14,
        vision_feature_select_strategy="default",
        chat_template=TEMPLATE,
        num_additional_image_tokens=1,
    ).save_pretrained(folder)


def _save(model: Any, folder: Path, share: float) -> None:
    with torch.no_grad():
        for weight in model.get_decoder().layers.parameters():
            weight *= share if weight.dim() > 1 else 1.0
    model.save_pretrained(folder)


def tiny_model(
    folder: str | Path,
    kind: str = "qwen2.5-vl",
    *,
    hidden: int = 32,
    window: int = 1024,
    texts: Sequence[str] = (),
    pieces: int = 0,
    share: float = 1.0,
) -> None:
    """Write a model with its processor, as ``transformers:FOLDER`` reads it.

    The weights are the same each time. A token is a byte, so prompts are long; with ``texts`` and
    ``pieces`` there are some more.

    Args:
        folder: where to.
        kind: ``qwen2-vl``, ``qwen2.5-vl``, ``qwen3-vl`` or ``llava``.
        hidden: how wide its language model is; a multiple of 32.
        window: most tokens of prompt and reply.
        texts: what its tokenizer has tokens for, beside bytes.
        pieces: at most so many of these.
        share: of the weights of its layers that is left: with less of chance it learns sooner.

    Raises:
        ValueError: there is no such kind.
    """
    if kind not in QWEN and kind != "llava":
        raise ValueError(f"there is no kind {kind!r}; known: {', '.join(QWEN)}, llava")
    torch.manual_seed(1)
    words = tokenizer(texts, pieces)
    text = {
        **TEXT,
        "vocab_size": TEXT["vocab_size"] + pieces,
        "hidden_size": hidden,
        "intermediate_size": 2 * hidden,
        "head_dim": hidden // 4,
        "max_position_embeddings": window,
    }
    save = partial(_save_qwen, kind=kind) if kind in QWEN else _save_llava
    save(Path(folder), words=words, text=text, share=share)
