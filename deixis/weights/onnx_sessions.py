"""Networks in ONNX, run by onnxruntime on the CPU."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deixis.base.printable import one_line
from deixis.errors import MissingExtraError, ModelFileError, ToolError


def open_session(content: str | bytes, named: str, threads: int = 4) -> Any:
    """Open a network: the path of its file, or what stands in one.

    Args:
        content: the path or the bytes.
        named: how errors call it.
        threads: how many it may use; never more than there are cores.

    Raises:
        ModelFileError: it cannot be read, or is no network that onnxruntime knows.
        MissingExtraError: ``onnxruntime`` is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError("onnxruntime", "starter") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(threads, os.cpu_count() or 1)
    options.log_severity_level = 3  # some networks have unused constants; say nothing of them
    try:
        return onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
    except Exception as error:
        if isinstance(error, (OSError, TypeError)) or type(error).__module__.startswith(
            "onnxruntime"
        ):
            raise ModelFileError(f"cannot open the model {named}: {one_line(error)}") from error
        raise


def run(
    session: Any, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str], tool: str
) -> list[NDArray[np.float32]]:
    """Return the named outputs of a network; raises ToolError when it fails on these inputs."""
    try:
        results: list[NDArray[np.float32]] = session.run(list(outputs), dict(inputs))
    except Exception as error:
        if type(error).__module__.startswith("onnxruntime") or isinstance(error, MemoryError):
            raise ToolError(f"{tool} failed: {one_line(error)}") from error
        raise
    return results
