"""Whisper of transformers, tiny and with random weights: what it says means nothing."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.errors import ModelFileError, SettingsError
from deixis.tools import registry
from deixis.tools.hearing.faster import FasterWhisper
from deixis.tools.hearing.whisper import Whisper
from deixis.weights.model_files import resolve

pytestmark = [pytest.mark.slow, pytest.mark.extra("transformers")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is saved as real ones are, with the tokenizer of tiny.en."""
    import torch
    import transformers as hf

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("models") / "whisper"
    tokenizer = resolve(FasterWhisper.MODEL).with_name("tokenizer.json")
    special = {"eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    hf.WhisperTokenizerFast(tokenizer_file=str(tokenizer), **special).save_pretrained(path)
    hf.WhisperFeatureExtractor(feature_size=80).save_pretrained(path)
    small = dict.fromkeys(("encoder_layers", "decoder_layers"), 2)
    small |= dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 2)
    small |= dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim", "d_model"), 16)
    ends = dict.fromkeys(("eos_token_id", "pad_token_id", "bos_token_id"), 50256)
    config = hf.WhisperConfig(
        vocab_size=51864, decoder_start_token_id=50257, max_target_positions=64, **small, **ends
    )
    model = hf.WhisperForConditionalGeneration(config)
    model.generation_config = hf.GenerationConfig(
        decoder_start_token_id=50257,
        max_length=48,
        alignment_heads=[[0, 0], [1, 1]],
        is_multilingual=False,
        no_timestamps_token_id=50362,
        return_timestamps=False,
        suppress_tokens=None,
        **ends,
    )
    model.save_pretrained(path)
    return path


def load(folder: Path, query: str = "") -> Whisper:
    tool: Whisper = registry.load(f"whisper:{folder}?device=cpu{query}", "transcriber")
    return tool


def test_words_lie_in_order_in_the_sound(folder: Path, merkel_speech: Any) -> None:
    tool = load(folder)
    sound = np.tile(merkel_speech.samples, 10)  # 32 seconds: two pieces
    heard = tool.transcribe(sound)
    assert heard.words and heard.language == "en"
    assert all(0 <= word.start < word.end for word in heard.words)
    starts = [word.start for word in heard.words]
    assert starts == sorted(starts) and starts[-1] <= len(sound) / 16_000
    assert starts[-1] > 20, "the second piece is heard too"
    assert tool.transcribe(sound) == heard
    assert [w.text for w in tool.align(sound, merkel_speech.words)] == merkel_speech.words
    assert tool.transcribe(np.zeros(16_000, np.float32)).words == []


def test_wrong_models_and_options_are_told(
    folder: Path, tmp_path: Path, merkel_speech: Any
) -> None:
    with pytest.raises(SettingsError, match="knows English alone, not de"):
        load(folder, "&language=de").transcribe(merkel_speech.samples)
    with pytest.raises(SettingsError, match="language"):
        load(folder, "&language=German")
    headless = shutil.copytree(folder, tmp_path / "headless")
    (headless / "generation_config.json").write_text('{"decoder_start_token_id": 50257}')
    with pytest.raises(ModelFileError, match="has no alignment_heads"):
        load(headless).transcribe(merkel_speech.samples)
    (tmp_path / "none").mkdir()
    with pytest.raises(ModelFileError, match=r"no config\.json"):
        load(tmp_path / "none").transcribe(merkel_speech.samples)
