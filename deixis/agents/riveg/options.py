"""What the graph riveg can be told, and who writes in it."""

from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from deixis.agents.context.state import State
from deixis.agents.context.system import GraphOptions
from deixis.agents.context.toolbox import Toolbox
from deixis.agents.reading.given import given_mentions
from deixis.errors import SettingsError


class RivegOptions(GraphOptions):
    """What the graph riveg can be told.

    ``shots``: annotated examples that are shown for a sample (section V-A.3: 5).
    ``samples``: which: those most ``similar`` to the sample, the same ``random`` ones for all, or
    ``none`` (table VI).
    ``seed``: of the random ones.
    ``knowledge``: whether auxiliary refined knowledge is written; without is an ablation of
    table VI.
    ``expression_input``: what entailment and grounding are given: ``both`` is *Name (Type) -
    expression*, the others are a part of that (table IX and figure 7).
    ``entailment``: whether it is asked first what can be seen; without, all is pointed at.
    ``augment``: whether every member of the committee writes knowledge and expressions as well,
    for training data; the expander's are those that the sample goes on with. ``alone``: the
    expander writes alone, but knowledge of mentions that are given as well.
    """

    shots: int = Field(default=5, ge=0, le=50)
    samples: Literal["similar", "random", "none"] = "similar"
    seed: int = 0
    knowledge: bool = True
    expression_input: Literal["name", "name_type", "expression", "both"] = "both"
    entailment: bool = True
    augment: bool | Literal["alone"] = False

    @model_validator(mode="after")
    def _has_effect(self) -> Self:
        if "seed" in self.model_fields_set and self.samples != "random":
            raise ValueError("seed goes with samples: random; leave it out")
        if "samples" in self.model_fields_set and not self.knowledge and self.samples != "none":
            raise ValueError(
                "samples are shown for knowledge, and knowledge is false; leave it out"
            )
        if self.shots and "shots" in self.model_fields_set and not self.examples:
            raise ValueError("shots is how many samples are shown, and none are; leave it out")
        if self.augment and not self.expands:
            raise ValueError("augment needs expressions; expression_input has to have them")
        return self

    @property
    def examples(self) -> int:
        """How many annotated examples are shown."""
        return self.shots if self.knowledge and self.samples != "none" else 0

    @property
    def expands(self) -> bool:
        """Whether expressions are asked for."""
        return self.expression_input in ("expression", "both")


def left_out(options: RivegOptions) -> set[str]:
    """Return the roles that nobody needs with these options."""
    roles: set[str] = set()
    if not options.examples or options.samples == "random":
        roles.add("embedder")
    if not options.entailment:
        roles |= {"entailer", "second_entailer"}
    if options.augment is not True:
        roles.add("committee")
    if not (options.knowledge or options.expands):
        roles.add("expander")
    return roles


def explains(state: State, toolbox: Toolbox) -> bool:
    """Whether knowledge is written: not for mentions that are given, unless as training data."""
    options = toolbox.graph_options(RivegOptions)
    return options.knowledge and (bool(options.augment) or given_mentions(state) is None)


class Writer(NamedTuple):
    """A model that writes; ``sample`` tells apart the answers of one that is named twice."""

    role: str
    spec: str
    sample: int


def writers(toolbox: Toolbox) -> list[Writer]:
    """Return who writes knowledge and expressions: the expander, and who augments.

    Raises:
        SettingsError: augmentation is wanted, and there is no committee.
    """
    roles = toolbox.settings.roles
    seats = [("expander", toolbox.model("expander"))]
    if toolbox.graph_options(RivegOptions).augment is True:
        if not roles.committee:
            raise SettingsError(
                "graph_options: augment has every member of the committee write, and there is "
                "none; name models for the role 'committee'"
            )
        seats += [("committee", spec) for spec in roles.committee]
    specs = [spec for _, spec in seats]
    return [Writer(role, spec, specs[:seat].count(spec)) for seat, (role, spec) in enumerate(seats)]
