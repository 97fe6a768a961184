"""What the graph vkel can be told: what VKEL ablates (table VI), and how often it asks."""

from typing import Literal, Self

from pydantic import model_validator

from deixis.agents.context.system import GraphOptions


class VkelOptions(GraphOptions):
    """What this graph alone can be told.

    ``calls``: ``paper`` asks a member, the voter and the summariser about each entity on its
    own, as the paper does; ``joint`` asks a member about all entities of a sample in one call,
    and the voter once about all that is disputed, which it summarises.
    ``knowledge`` and ``objects``: whether the second stage is told how entities look, and what a
    detector saw (table VI: w/o Visual Knowledge, w/o Object Annotation).
    ``sketch``: whether there is a first stage; without, the model answers in one pass, and there
    is no knowledge (LLaVA direct, section IV-B).
    """

    calls: Literal["paper", "joint"] = "paper"
    knowledge: bool = True
    objects: bool = True
    sketch: bool = True

    @model_validator(mode="after")
    def _has_effect(self) -> Self:
        given = self.model_fields_set
        if not self.sketch and self.knowledge and "knowledge" in given:
            raise ValueError("without a sketch nobody knows whom to ask about; knowledge: false")
        if not self.knows and "calls" in given:
            raise ValueError("calls is how knowledge is asked for, and there is none; leave it out")
        return self

    @property
    def knows(self) -> bool:
        """Whether the committee is asked how entities look."""
        return self.knowledge and self.sketch


def left_out(options: VkelOptions) -> set[str]:
    """Return the roles that nobody needs with these options."""
    roles = set() if options.knows else {"committee", "voter", "templater"}
    return roles if options.objects else roles | {"detector", "reader"}
