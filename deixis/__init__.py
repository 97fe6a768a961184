"""Deixis names every entity in a text and points at it in the picture.

    >>> from deixis import build_graph
    >>> out = build_graph().invoke({"image": "post.jpg", "text": "Grace Hopper of the US Navy"})

`build_graph` makes the graph, `Settings` says which models it uses, `Extraction` is what
comes out, `errors` holds every error there is.
"""

from importlib import import_module

TYPE_CHECKING = False  # that of `typing`, which takes longer to load than all of this
if TYPE_CHECKING:
    from typing import Any

    from deixis import errors
    from deixis.graphs.build import build_graph
    from deixis.schema import Extraction
    from deixis.settings import Settings

__version__ = "0.1.0"
__all__ = ["Extraction", "Settings", "__version__", "build_graph", "errors"]

# Loaded on first use: `import deixis` then takes milliseconds, where LangGraph takes seconds.
_HOMES = {
    "build_graph": "deixis.graphs.build",
    "Extraction": "deixis.schema",
    "Settings": "deixis.settings",
}


def __getattr__(name: str) -> "Any":
    if name == "errors":
        return import_module("deixis.errors")
    if name not in _HOMES:
        raise AttributeError(f"module 'deixis' has no attribute {name!r}")
    value: Any = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
