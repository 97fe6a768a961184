"""What the graph `mmre` alone can be told: what M-MRE ablates (tables 2 and 3)."""

from typing import Literal

from deixis.agents.context.system import GraphOptions


class MmreOptions(GraphOptions):
    """Options of the graph.

    ``pfa``: whether the Prompt Format Adapter gives tasks and answer their form.
    ``tasks``: both at once (M-MRE in the tables), ``summary`` of the picture alone (Single TS),
    or ``mner``, naming entities and matching patches alone (Single MNER).
    """

    pfa: bool = True
    tasks: Literal["joint", "summary", "mner"] = "joint"

    @property
    def summarises(self) -> bool:
        """Whether the picture is to be summarised (task 1)."""
        return self.tasks != "mner"

    @property
    def names(self) -> bool:
        """Whether entities are to be named, and patches matched to them (task 2)."""
        return self.tasks != "summary"
