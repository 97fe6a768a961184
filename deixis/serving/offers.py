"""What a server offers: stacks, the graphs that they can fill, and type schemas."""

import threading
from collections.abc import Iterable
from functools import cached_property
from typing import Any, NamedTuple

from deixis.agents.context.toolbox import Toolbox
from deixis.errors import SettingsError
from deixis.graphs.build import Graph, graph_of, toolbox_of
from deixis.graphs.registry import find, names
from deixis.serving.orders import Order
from deixis.settings import Settings
from deixis.type_schema import FOLDER, TypeSchema


class Offered(NamedTuple):
    """A graph that is ready to be run, and its tools."""

    graph: Graph
    toolbox: Toolbox

    @property
    def nodes(self) -> list[str]:
        """The names of its nodes."""
        return [node for node in self.graph.nodes if not node.startswith("__")]


class Offers:
    """Graphs by what a client may choose; each is made when it is first wanted, and kept.

    No client names a file, a model, or an address on a private network: stacks are those given,
    and of URLs they open public ones at most.

    Args:
        stacks: the first is that of clients who choose none.
        schemas: names and paths, beside those that come with Deixis and those of the stacks.

    Raises:
        SettingsError: two stacks or schemas have one name, or a schema is wrong.
    """

    def __init__(self, stacks: Iterable[Settings], schemas: Iterable[str] = ()) -> None:
        self._stacks: dict[str, Settings] = {}
        for settings in stacks:
            if settings.name in self._stacks:
                raise SettingsError(f"two stacks are called {settings.name!r}; rename one")
            urls = "none" if settings.options.urls == "none" else "public"
            self._stacks[settings.name] = settings.with_options(urls=urls)
        own = [settings.types for settings in self._stacks.values()]
        self._schemas = _named([*sorted(path.stem for path in FOLDER.glob("*.yaml"))])
        self._schemas |= _named(own)
        for name, given in _named(schemas).items():
            if self._schemas.get(name, given) != given:
                raise SettingsError(f"two type schemas are called {name!r}; rename one")
            self._schemas[name] = given
        self._made: dict[tuple[str, str, str], Offered] = {}
        self._making = threading.Lock()

    @cached_property
    def default(self) -> Settings:
        """The stack of clients who choose none."""
        return next(iter(self._stacks.values()))

    def settings_of(self, order: Order) -> Settings:
        """Return the settings that an order asks for.

        Raises:
            SettingsError: something is not offered.
        """
        settings: Settings = _chosen("stack", order.stack or self.default.name, self._stacks)
        if order.graph is not None and order.graph != settings.graph:
            _chosen("graph", order.graph, dict.fromkeys(self.graphs_of(settings)))
            settings = settings.with_graph(order.graph)
        if order.types is not None:
            types = _chosen("schema", order.types, self._schemas)
            settings = settings.model_copy(update={"types": types})
        return settings

    def graph_of(self, order: Order) -> Offered:
        """Return the graph that an order asks for.

        Raises:
            SettingsError: something is not offered.
        """
        return self.made(self.settings_of(order))

    def made(self, settings: Settings) -> Offered:
        """Return the graph of settings that `settings_of` gave."""
        key = settings.name, settings.graph, settings.types
        with self._making:
            if key not in self._made:
                toolbox = toolbox_of(settings)
                self._made[key] = Offered(graph_of(toolbox), toolbox)
            return self._made[key]

    def graphs_of(self, settings: Settings) -> list[str]:
        """Return the graphs whose roles a stack fills, its own first."""
        fitting = [settings.graph]
        for name in names():
            if name != settings.graph:
                try:
                    find(name).check(settings.with_graph(name))
                except SettingsError:
                    continue
                fitting.append(name)
        return fitting

    def describe(self) -> dict[str, Any]:
        """Return what a client may choose, as plain data."""
        stacks = [
            {
                "name": name,
                "description": settings.description,
                "graph": settings.graph,
                "schema": settings.type_schema.name,
                "graphs": self.graphs_of(settings),
            }
            for name, settings in self._stacks.items()
        ]
        first: dict[str, Settings] = {}
        for settings in self._stacks.values():
            for graph in self.graphs_of(settings):
                own = settings if graph == settings.graph else settings.with_graph(graph)
                first.setdefault(graph, own)
        default = self.default
        schema = default.type_schema.name
        return {
            "stacks": stacks,
            "graphs": [self._graph(settings) for settings in first.values()],
            "schemas": [_schema(given) for given in self._schemas.values()],
            "default": {"stack": default.name, "graph": default.graph, "schema": schema},
        }

    def _graph(self, settings: Settings) -> dict[str, Any]:
        system = find(settings.graph)
        told = {name: list(getattr(system, name)) for name in ("needs", "uses", "takes")}
        nodes = self.made(settings).nodes
        return {"name": settings.graph, "about": system.about, **told, "nodes": nodes}


def _named(schemas: Iterable[str]) -> dict[str, str]:
    return {TypeSchema.load(given).name: given for given in schemas}


def _chosen(what: str, name: str, offered: dict[str, Any]) -> Any:
    if name not in offered:
        raise SettingsError(f"this server offers no such {what}; it has {', '.join(offered)}")
    return offered[name]


def _schema(given: str) -> dict[str, Any]:
    schema = TypeSchema.load(given).model_dump(mode="json", exclude_none=True)
    keep = ("name", "description", "fine_types", "subject", "object", "roles")
    for part in ("types", "relations", "events"):
        schema[part] = [
            {name: each[name] for name in keep if name in each} for each in schema.get(part, ())
        ]
    return schema
