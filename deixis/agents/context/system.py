"""What a graph asks of settings: the roles it fills, and options of its own."""

from collections.abc import Callable
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_jsonable_python

from deixis.base.problems import describe_problem
from deixis.errors import SettingsError
from deixis.settings import Settings


class GraphOptions(BaseModel):
    """What one graph alone can be told; a graph with options derives its own from this."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class System(NamedTuple):
    """A graph that can be built.

    Attributes:
        name: how settings name it.
        about: what it is, in a line.
        needs: roles that it cannot do without.
        uses: roles that it asks when they are filled.
        wire: adds its nodes and edges to a `deixis.graphs.build.Wiring`.
        options: what it can be told under ``graph_options``.
    """

    name: str
    about: str
    needs: tuple[str, ...]
    uses: tuple[str, ...]
    wire: Callable[[Any], None]
    options: type[GraphOptions] = GraphOptions

    def check(self, settings: Settings) -> GraphOptions:
        """Check that the settings have what this graph needs, and return its options.

        Raises:
            SettingsError: a role is not filled, or an option is unknown or wrong.
        """
        for role in self.needs:
            if not getattr(settings.roles, role):
                raise SettingsError(
                    f"the graph {self.name!r} needs the role {role!r}, which the stack "
                    f"{settings.name!r} leaves out; name a model for it"
                )
        try:
            return self.options.model_validate(settings.graph_options)
        except ValidationError as error:
            said = describe_problem(error, self.options)
            raise SettingsError(f"graph_options of {self.name!r}: {said}") from None

    def defaults(self) -> dict[str, Any]:
        """Return the options and their defaults as plain data, for a list of graphs."""
        return {
            name: "(required)"
            if field.is_required()
            else to_jsonable_python(field.get_default(call_default_factory=True))
            for name, field in self.options.model_fields.items()
        }
