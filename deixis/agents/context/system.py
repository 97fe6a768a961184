"""What a graph asks of settings: the roles it fills, and options of its own."""

from collections.abc import Callable, Collection
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_jsonable_python

from deixis.base.problems import describe_problem
from deixis.errors import SettingsError
from deixis.settings import Settings


class GraphOptions(BaseModel):
    """What one graph alone can be told; a graph with options derives its own from this."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Options = TypeVar("Options", bound=GraphOptions)


class System(NamedTuple, Generic[Options]):
    """A graph that can be built.

    Attributes:
        name: how settings name it.
        about: what it is, in a line.
        needs: roles that it cannot do without.
        uses: roles that it asks when they are filled.
        wire: adds its nodes and edges to a `deixis.graphs.build.Wiring`, as the options say.
        options: what it can be told under ``graph_options``.
        eyes: roles that it cannot have played by a chat model that takes no pictures.
        takes: what of ``images``, ``audio``, ``video`` and ``task`` may be given; ``regions`` if
            mentions may have them.
        leaves_out: says which of its roles are neither needed nor asked with some options.
    """

    name: str
    about: str
    needs: tuple[str, ...]
    uses: tuple[str, ...]
    wire: Callable[[Any, Options], None]
    options: type[Options] = GraphOptions  # type: ignore[assignment]  # of a graph without any
    eyes: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    leaves_out: Callable[[Options], Collection[str]] = lambda _: ()

    def check(self, settings: Settings) -> None:
        """Check that the settings fill the roles that this graph needs.

        Raises:
            SettingsError: they do not.
        """
        needless = self.leaves_out(self.options_in(settings))
        for role in self.needs:
            if not getattr(settings.roles, role) and role not in needless:
                raise SettingsError(
                    f"the graph {self.name!r} needs the role {role!r}, which nobody plays (stack "
                    f"{settings.name!r}); name a model for it"
                )

    def options_in(self, settings: Settings) -> Options:
        """Return what the settings tell this graph.

        Raises:
            SettingsError: an option is unknown or wrong.
        """
        try:
            return self.options.model_validate(settings.graph_options)
        except ValidationError as error:
            problem = describe_problem(error, self.options).removeprefix("the file: ")
            raise SettingsError(f"graph_options of {self.name!r}: {problem}") from None

    def defaults(self) -> dict[str, Any]:
        """Return the options and their defaults as plain data, for a list of graphs."""
        return {
            name: "(required)"
            if field.is_required()
            else to_jsonable_python(field.get_default(call_default_factory=True))
            for name, field in self.options.model_fields.items()
        }
