"""What the graph vkel can be told: what VKEL ablates (table VI), and how often it asks."""

from typing import Literal, Self

from pydantic import model_validator

from deixis.agents.context.system import GraphOptions

_OF_THE_SECOND = ("calls", "knowledge", "objects", "undecided")


class VkelOptions(GraphOptions):
    """What this graph alone can be told.

    ``calls``: ``paper`` asks a member, the voter and the summariser about each entity on its
    own, as the paper does; ``joint`` asks a member about all entities of a sample in one call,
    and the voter once about all that is disputed, which it summarises.
    ``knowledge`` and ``objects``: whether the second stage is told how entities look, and what a
    detector saw (table VI: w/o Visual Knowledge, w/o Object Annotation).
    ``sketch``: whether there is a first stage; without, the model answers in one pass, and there
    is no knowledge (LLaVA direct, section IV-B).
    ``ground``: whether there is a second stage; without, the sketch is the result.
    ``undecided``: whether an entity of the sketch that the answer leaves out stays in the result,
    undecided; without, the answer alone counts, as in the paper.
    """

    calls: Literal["paper", "joint"] = "paper"
    knowledge: bool = True
    objects: bool = True
    sketch: bool = True
    ground: bool = True
    undecided: bool = True

    @model_validator(mode="after")
    def _has_effect(self) -> Self:
        given = self.model_fields_set
        if not self.ground and (needless := sorted(given & {*_OF_THE_SECOND})):
            raise ValueError(f"there is no second stage for {', '.join(needless)}; leave it out")
        if not self.ground and not self.sketch:
            raise ValueError("there is neither a first stage nor a second; sketch or ground: true")
        if not self.sketch and "undecided" in given:
            raise ValueError("undecided is what is left of a sketch; leave it out")
        if not self.sketch and self.knowledge and "knowledge" in given:
            raise ValueError("without a sketch nobody knows whom to ask about; knowledge: false")
        if not self.knows and "calls" in given:
            raise ValueError("calls is how knowledge is asked for, and there is none; leave it out")
        return self

    @property
    def knows(self) -> bool:
        """Whether the committee is asked how entities look."""
        return self.knowledge and self.sketch and self.ground

    @property
    def sees(self) -> bool:
        """Whether a detector is asked what there is to see."""
        return self.objects and self.ground


def left_out(options: VkelOptions) -> set[str]:
    """Return the roles that nobody needs with these options."""
    roles = set() if options.knows else {"committee", "voter", "templater"}
    roles |= set() if options.sees else {"detector", "reader"}
    roles |= set() if options.ground else {"segmenter"}
    return roles if options.sketch else roles | {"sketcher"}
