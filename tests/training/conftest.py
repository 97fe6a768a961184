"""What tests of training share."""

from pathlib import Path

import pytest

from .tiny_encoder import write_encoder


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a tiny encoder."""
    return write_encoder(tmp_path_factory.mktemp("encoder") / "model.safetensors")
