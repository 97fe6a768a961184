"""The processes of one run: one, or several that ``accelerate launch`` has started."""

import os
import time
from pathlib import Path

_PAUSE = 1.0  # seconds between two looks


def is_main() -> bool:
    """Say whether this process is the one that writes files and tells how far it is."""
    return os.environ.get("RANK", "0") == "0"


def sharded() -> bool:
    """Say whether each process holds a part of the model alone (FSDP)."""
    return os.environ.get("ACCELERATE_USE_FSDP", "").lower() in {"1", "true", "yes"}


def place(device: str) -> str:
    """Return the device on which this process reads the model.

    Args:
        device: as a spec has it.
    """
    rank = os.environ.get("LOCAL_RANK")
    if device != "auto" or rank is None:
        return device
    import torch

    # A model that is to be divided may not fit on one device.
    return f"cuda:{rank}" if torch.cuda.is_available() and not sharded() else "cpu"


def await_file(path: Path) -> None:
    """Wait until the main process has written a file; if that fails, all are ended together."""
    while not path.is_file():
        time.sleep(_PAUSE)
