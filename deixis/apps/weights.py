"""Fetching and loading what a stack needs, while somebody watches."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from deixis.agents.context.given import idle_roles
from deixis.agents.context.toolbox import Toolbox
from deixis.apps import console
from deixis.errors import ToolError
from deixis.weights.model_files import is_cached, resolve

_SEE = {"detector", "reader", "segmenter", "entailer", "second_entailer"}
"""Roles whose tools are not needed where there is nothing to see."""


def fetch(toolbox: Toolbox, *, given: Mapping[str, Any] | None = None, shown: bool = True) -> None:
    """Fetch what the stack needs and the cache lacks, so that no node seems to hang.

    Args:
        toolbox: the stack.
        given: what the graph will be given: nothing is fetched that only other media need. None
            is for everything that the graph takes.
        shown: whether a bar shows what comes, to whoever watches stderr.

    Raises:
        ModelFileError: a file cannot be had.
        MissingExtraError, MissingKeyError, SettingsError: a role could not be filled anyway.
    """
    idle = set() if given is None else idle_roles(given)
    toolbox.check(without=idle)
    seen = given is None or any(given.get(name) for name in ("image", "images", "video"))
    idle = idle if seen else idle | _SEE
    with console.progress(in_bytes=True, shown=shown) as bar:

        def show(come: int, most: int | None) -> None:
            bar.update(bar.task_ids[-1], completed=come, total=most)

        for seat in toolbox.cast.seats():
            if seat.is_tool and seat.role in idle:
                continue
            for weights in seat.files():
                if is_cached(weights):
                    continue
                task = bar.add_task("fetching", total=None, at=f"weights of the {seat.role}")
                resolve(weights, tell=show)
                bar.remove_task(task)


def load(toolbox: Toolbox) -> None:
    """Use every tool that looks once, so that no post has to wait for one to be loaded.

    They are shown a small grey picture, where there is nothing to see. Language models are
    not asked: each is loaded with its first question.

    Raises:
        MissingExtraError, ModelFileError: a tool cannot be set up.
    """
    grey = np.full((64, 64, 3), 128, np.uint8)
    with suppress(ToolError):
        if detector := toolbox.detector:
            detector.detect(grey, ["person"])
    with suppress(ToolError):
        if reader := toolbox.reader:
            reader.read(grey)
    with suppress(ToolError):
        if segmenter := toolbox.segmenter:
            segmenter.segment(grey, [(16.0, 16.0, 48.0, 48.0)])
