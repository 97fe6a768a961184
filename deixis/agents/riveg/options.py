"""What the graph riveg can be told, and who writes in it."""

from typing import NamedTuple

from pydantic import Field

from deixis.agents.context.system import GraphOptions
from deixis.agents.context.toolbox import Toolbox
from deixis.errors import SettingsError


class RivegOptions(GraphOptions):
    """What the graph riveg can be told.

    ``shots``: annotated examples that are shown for a sample (section V-A.3: 5).
    ``knowledge``: whether auxiliary refined knowledge is written; without is the ablation of
    section V-C.
    ``augment``: whether every member of the committee writes knowledge and expressions as well,
    for training data; the expander's are those that the sample goes on with.
    """

    shots: int = Field(default=5, ge=0, le=50)
    knowledge: bool = True
    augment: bool = False


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
    if toolbox.graph_options(RivegOptions).augment:
        if not roles.committee:
            raise SettingsError(
                "graph_options: augment has every member of the committee write, and there is "
                "none; name models for the role 'committee'"
            )
        seats += [("committee", spec) for spec in roles.committee]
    specs = [spec for _, spec in seats]
    return [Writer(role, spec, specs[:seat].count(spec)) for seat, (role, spec) in enumerate(seats)]
