"""What tests of tools share: a tiny Grounding DINO, saved as real models are."""

from pathlib import Path

import pytest
import torch
import transformers as hf

# The model knows the ends of phrases by these numbers.
ENDS = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103, ".": 1012, "?": 1029}
WORDS = ["a", "cat", "dog", "the", "red", "flag", "woman", "in", "uniform", "##s", "[", "]", "sep"]


@pytest.fixture(scope="session")
def tiny_dino(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny Grounding DINO."""
    folder = tmp_path_factory.mktemp("models") / "dino"
    known = ENDS | {word: 200 + number for number, word in enumerate(WORDS)}
    by_number = {number: word for word, number in known.items()}
    vocabulary = {by_number.get(number, f"[unused{number}]"): number for number in range(1100)}
    image = hf.GroundingDinoImageProcessor(size={"shortest_edge": 96, "longest_edge": 160})
    hf.GroundingDinoProcessor(image, hf.BertTokenizer(vocab=vocabulary)).save_pretrained(folder)
    config = hf.GroundingDinoConfig(
        backbone_config=hf.SwinConfig(
            image_size=32,
            embed_dim=16,
            depths=[1, 1, 1, 1],
            num_heads=[1, 1, 2, 2],
            window_size=3,
            out_indices=[2, 3, 4],
        ),
        text_config=hf.BertConfig(
            vocab_size=1100,
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
        ),
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        num_queries=30,
        max_text_len=40,
    )
    torch.manual_seed(5)
    model = hf.GroundingDinoForObjectDetection(config)
    with torch.no_grad():  # wide weights let what comes in tell in what comes out
        for name, weight in model.named_parameters():
            if weight.dim() > 1 and "embed" not in name:
                weight.normal_(std=1.2 * weight.shape[-1] ** -0.5)
            if name.endswith(("vision_param", "text_param")):
                weight.fill_(0.3)
            if "bbox_embed" in name:
                weight.normal_(std=0.3)
    model.save_pretrained(folder)
    return folder
