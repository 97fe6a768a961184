"""A tiny encoder with random weights, saved as MiniLM is."""

from pathlib import Path


def write_encoder(path: Path) -> Path:
    """Write one of a single layer, with room for MiniLM's word pieces."""
    import torch
    from safetensors.torch import save_file
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30_522,
        hidden_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=512,
    )
    save_file(BertModel(config).state_dict(), path)
    return path
