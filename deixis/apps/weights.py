"""Which model files a stack needs, and fetching them while somebody watches."""

from importlib import import_module
from pathlib import Path

from rich.progress import Progress

from deixis.agents.context.cast import Seat
from deixis.agents.context.toolbox import Toolbox
from deixis.llms.local.llama_cpp import EMBEDDED
from deixis.settings import Spec
from deixis.tools import registry as tools
from deixis.weights.model_files import is_cached, resolve


def weights_of(seat: Seat) -> str | None:
    """Return the model-file spec of a role's weights (of a repository, one file), if any."""
    spec = Spec.parse(seat.spec)
    if spec.provider in ("segment-anything", "groundingdino"):
        return spec.options.get("checkpoint")
    if spec.provider == "transformers" or (
        seat.is_tool and tools.find(seat.spec, seat.role).extra == "transformers"
    ):
        is_path = Path(spec.name).expanduser().exists() or spec.name.startswith((".", "/", "~"))
        return spec.name if is_path or not spec.name else f"hub:{spec.name}/config.json"
    if seat.is_tool:
        module, _, name = tools.find(seat.spec, seat.role).target.partition(":")
        default: str | None = getattr(getattr(import_module(module), name), "MODEL", None)
        return spec.name or default
    if spec.provider == "embedded":
        return EMBEDDED.get(spec.name)
    return spec.name if spec.provider == "gguf" else None


_SEE = {"detector", "reader", "segmenter", "entailer"}
"""Roles whose tools are not needed where there is no picture."""


def fetch(toolbox: Toolbox, bar: Progress, pictures: bool = True) -> None:
    """Fetch what the stack needs and the cache lacks, so that no node seems to hang.

    Args:
        toolbox: the stack.
        bar: shows what is fetched.
        pictures: whether there are any; else nothing is fetched that only looks at them.

    Raises:
        ModelFileError: a file cannot be had.
        MissingExtraError, MissingKeyError: a role could not be filled anyway.
    """
    toolbox.check()
    for seat in toolbox.cast.seats():
        if seat.is_tool and seat.role in _SEE and not pictures:
            continue
        weights = weights_of(seat)
        if weights and not is_cached(weights):
            task = bar.add_task("fetching", total=None, at=f"weights of the {seat.role}")
            resolve(weights)
            bar.remove_task(task)
