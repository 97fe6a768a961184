"""A tiny Qwen2.5-Omni with random weights, in a folder as the real one has it."""

import json
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

SPECIAL = (
    *("<|im_start|>", "<|im_end|>", "<|IMAGE|>", "<|VIDEO|>", "<|AUDIO|>"),
    *("<|vision_bos|>", "<|vision_eos|>", "<|audio_bos|>", "<|audio_eos|>"),
)
_, END, IMAGE, VIDEO, AUDIO, VISION, VISION_END, SOUND, SOUND_END = range(256, 256 + len(SPECIAL))
TEMPLATE = """\
{% for message in messages %}<|im_start|>{{ message.role }}
{% for block in message.content %}{% if block.type == 'image' %}\
<|vision_bos|><|IMAGE|><|vision_eos|>{% elif block.type == 'audio' %}\
<|audio_bos|><|AUDIO|><|audio_eos|>{% else %}{{ block.text }}{% endif %}{% endfor %}<|im_end|>
{% endfor %}<|im_start|>assistant
"""
# The wide initial weights let what comes in tell in what comes out.
WIDE = {"initializer_range": 0.3}
ROPE = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [1, 1, 2]}
EARS = {
    "d_model": 32,
    "encoder_layers": 1,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "output_dim": 32,
    **WIDE,
}
EYES = {
    "depth": 2,
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_heads": 2,
    "out_hidden_size": 32,
    "fullatt_block_indexes": [1],
    **WIDE,
}
TEXT: dict[str, Any] = {
    "vocab_size": 272,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "eos_token_id": END,
    "rope_parameters": ROPE,
    **WIDE,
}


def save_omni(folder: Path) -> None:
    """Write the whole model, of which the thinker alone is loaded, and its processor."""
    torch.manual_seed(1)
    thinker = hf.Qwen2_5OmniThinkerConfig(
        audio_config=EARS,
        vision_config=EYES,
        text_config=TEXT,
        audio_token_index=AUDIO,
        image_token_index=IMAGE,
        video_token_index=VIDEO,
        audio_start_token_id=SOUND,
        audio_end_token_id=SOUND_END,
        vision_start_token_id=VISION,
        vision_end_token_id=VISION_END,
    )
    config = hf.Qwen2_5OmniConfig(thinker_config=thinker.to_dict(), enable_audio_output=False)
    hf.Qwen2_5OmniForConditionalGeneration(config).save_pretrained(folder)
    _tokenizer().save_pretrained(folder)
    eyes = json.loads(Qwen2VLImageProcessorPil(patch_size=14).to_json_string())
    ears = json.loads(hf.WhisperFeatureExtractor(feature_size=128).to_json_string())
    (folder / "preprocessor_config.json").write_text(json.dumps({**eyes, **ears}))


def _tokenizer() -> Any:
    """One token a byte."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    inner.add_special_tokens(list(SPECIAL))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    names = ("image", "video", "audio", "vision_bos", "vision_eos", "audio_bos", "audio_eos")
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=inner,
        eos_token="<|im_end|>",
        extra_special_tokens={
            f"{name}_token": mark for name, mark in zip(names, SPECIAL[2:], strict=True)
        },
        chat_template=TEMPLATE,
        model_input_names=["input_ids", "attention_mask"],
    )
