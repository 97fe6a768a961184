"""The cast: which model or tool plays which role of a graph."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from deixis.agents.context.calibration import check_calibration
from deixis.agents.context.committee import check_committee
from deixis.agents.context.system import System
from deixis.agents.context.tags import check_tags
from deixis.errors import SettingsError
from deixis.llms import registry as llms
from deixis.llms.box_conventions import OPTION
from deixis.llms.servers.redaction import shown
from deixis.settings import Settings, Spec
from deixis.tools import registry as tools

TOOL_ROLES = (
    *("embedder", "detector", "reader", "segmenter"),
    *("transcriber", "speech_segmenter", "tracker"),
)
ENTAILERS = ("entailer", "second_entailer")
"""Who says whether something is shown, and who is asked where that leaves a doubt."""
_POINTING = ("vlm", *ENTAILERS)
_NEEDLESS = {
    OPTION: (_POINTING, "points at nothing"),
    "hears": (("vlm",), "is sent no sound"),
    "watches": (("vlm",), "is sent no video"),
}
"""Options of models, the roles in which they have an effect, and why they have none in others."""
_DESCRIBING = "captioner"
_OF_COMMITTEE = ("voter", "templater")
"""Roles of whom nothing is asked when there is no committee."""


class Seat(NamedTuple):
    """One model or tool of the settings, and the role it plays; an idle one is never asked."""

    role: str
    spec: str
    is_tool: bool
    idle: bool = False

    def find(self) -> None:
        """Look up who plays the role.

        Raises:
            SettingsError: there is no such model or tool.
        """
        if self.is_tool:
            tools.find(self.spec, self.role)
        else:
            others = [name for name, tool in tools.TOOLS.items() if tool.plays(self.role)]
            llms.provider_of(self.spec, others)

    def check(self) -> None:
        """Check that the role could be filled, without loading or calling anything.

        Raises:
            MissingExtraError, MissingKeyError, SettingsError: it could not.
        """
        if self.is_tool:
            tools.check(self.spec, self.role)
        elif not self.idle:
            llms.check(self.spec)
            answers_nothing = llms.provider_of(self.spec).only_describes(self.spec)
            if answers_nothing and self.role != _DESCRIBING:
                raise SettingsError(
                    f"{self.role}: {shown(self.spec)} describes pictures and answers no questions; "
                    f"it can play the role {_DESCRIBING} alone"
                )

    def files(self) -> list[str]:
        """Return what the weights are read from, as specs of `deixis.weights.model_files`.

        Raises:
            SettingsError, ModelFileError: the spec is wrong, or has to name a file.
        """
        if self.is_tool:
            return tools.find(self.spec, self.role).files(self.spec)
        return [] if self.idle else llms.provider_of(self.spec).files(self.spec)


class Cast:
    """Settings, seen as who plays which role of a graph.

    Raises:
        SettingsError: a role that the graph needs is not filled; or one names a model or a tool
            that does not exist, or a model without eyes where the graph needs them; or the
            tagger is asked for types that it does not know.

    Args:
        settings: models and tools.
        system: the graph, which leaves alone the roles that it does not use; None is for one
            that uses all.
        shown: returns a chat model's spec without credentials.
    """

    def __init__(
        self, settings: Settings, system: System[Any] | None, shown: Callable[[str], str]
    ) -> None:
        self.settings = settings
        self.system = system
        self._shown = shown
        self._swapped: dict[str, Cast] = {}
        self._checked: set[Seat] = set()
        self._needless = system.leaves_out(system.options_in(settings)) if system else ()
        if system is not None:
            system.check(settings)
        check_calibration(settings)
        check_committee(settings)
        self._check_entailers()
        for seat in self.seats():
            seat.find()
            self._check_eyes(seat)
            self._check_options(seat)
        self.settings = self._without_credentials()
        if self.recognizes_by_tagger:
            check_tags(self.model("recognizer"), settings.type_schema)

    def _check_eyes(self, seat: Seat) -> None:
        wanted = self.system is not None and seat.role in self.system.eyes
        if wanted and not seat.is_tool and not llms.sees(seat.spec):
            raise SettingsError(
                f"{seat.role}: {self._shown(seat.spec)} takes no pictures; the role needs a model "
                "with eyes, or leave it out"
            )

    def _check_entailers(self) -> None:
        roles, options = self.settings.roles, self.settings.options
        played = [role for role in ENTAILERS if getattr(roles, role) and self.uses(role)]
        if roles.second_entailer and not roles.entailer:
            raise SettingsError(
                "second_entailer is asked where the entailer is unsure, and nobody plays that; "
                "name a first entailer, or make the second the entailer"
            )
        if "entailer_gate" in options.model_fields_set and "second_entailer" not in played:
            raise SettingsError(
                "options.entailer_gate has no effect without a second_entailer; leave it out"
            )
        if options.entailer_samples > 1 and all(map(self.is_tool, played)):
            raise SettingsError(
                f"options.entailer_samples is {options.entailer_samples}, and no chat model plays "
                "the entailer: a tool would say the same each time; leave it out"
            )

    def _check_options(self, seat: Seat) -> None:
        if seat.is_tool:  # it knows its own options
            return
        given = Spec.parse(seat.spec).options
        for option, (roles, why) in _NEEDLESS.items():
            if option in given and seat.role not in roles:
                raise SettingsError(
                    f"{seat.role}: option {option} of {self._shown(seat.spec)} has no effect, for "
                    f"this role {why}; leave it out"
                )

    def _without_credentials(self) -> Settings:
        plain = {seat.spec: self._shown(seat.spec) for seat in self.seats() if not seat.is_tool}
        changed = {
            role: [plain.get(spec, spec) for spec in given]
            if role == "committee"
            else plain.get(given, given)
            for role, given in self.settings.roles
        }
        same = all(spec == shown for spec, shown in plain.items())
        return self.settings if same else self.settings.with_roles(changed)

    @property
    def recognizes_by_tagger(self) -> bool:
        """Whether the recognizer is a tagger that is shipped (otherwise it is a chat model)."""
        spec = self.settings.roles.recognizer
        is_tool = spec is not None and Spec.parse(spec).provider in tools.TOOLS
        return is_tool and self.uses("recognizer")

    def is_tool(self, role: str) -> bool:
        """Whether a role is played by a tool (otherwise it is a chat model, or nobody)."""
        if role in TOOL_ROLES:
            return True
        if role == "recognizer":
            return self.recognizes_by_tagger
        spec = getattr(self.settings.roles, role)
        return role in ENTAILERS and spec and Spec.parse(spec).provider in tools.names(role)

    def uses(self, role: str) -> bool:
        """Whether the graph has a place for a role."""
        if self.system is None:
            return True
        return role in (*self.system.needs, *self.system.uses) and role not in self._needless

    def idle(self, role: str) -> bool:
        """Whether whoever plays a role is never asked: there is no committee that it serves."""
        return role in _OF_COMMITTEE and not self.settings.roles.committee

    def left_out(self) -> list[str]:
        """Return the roles of the graph that nobody plays, and that would not be idle."""
        return [
            role
            for role, given in self.settings.roles
            if not given and self.uses(role) and not self.idle(role)
        ]

    def model(self, role: str) -> str:
        """Return the spec of a role that the graph needs.

        Raises:
            SettingsError: nobody plays it.
        """
        spec: str | None = getattr(self.settings.roles, role)
        if spec is None:
            raise SettingsError(f"nobody plays the role {role!r}; name a model for it")
        return spec

    def tool(self, role: str) -> Any:
        """Return the tool that plays a role, loaded; None when the role is left out."""
        spec = getattr(self.settings.roles, role)
        return tools.load(spec, role) if spec is not None and self.uses(role) else None

    def seats(self) -> list[Seat]:
        """Return every model and tool that the settings name and the graph uses."""
        seats = []
        for role, given in self.settings.roles:
            if not self.uses(role):
                continue
            is_tool = self.is_tool(role)
            specs = given if role == "committee" else [given]
            idle = self.idle(role)
            seats += [Seat(role, spec, is_tool, idle) for spec in specs if spec is not None]
        return seats

    def check(self, *, replayed: bool = False, without: Collection[str] = ()) -> None:
        """Check, before anything is asked or paid for, that every role could be filled.

        Args:
            replayed: whether chat models are not asked at all.
            without: roles of tools that have nothing to do.

        Raises:
            MissingExtraError, MissingKeyError, SettingsError: the first that could not.
        """
        for seat in self.seats():
            # It takes milliseconds, and is done for every sample.
            done = seat in self._checked or (seat.is_tool and seat.role in without)
            if not done and (seat.is_tool or not replayed):
                seat.check()
                self._checked.add(seat)

    def for_context(self, context: Mapping[str, Any] | None) -> "Cast":
        """Return the cast with the roles swapped that the runtime context names.

        Raises:
            SettingsError: as for `Cast`.
        """
        if not context:
            return self
        if not isinstance(context, Mapping):
            raise SettingsError(f"context is {context!r}; give a dict of roles to models")
        key = repr(sorted(context.items()))
        if key not in self._swapped:
            settings = self.settings.with_roles(context)
            self._swapped[key] = Cast(settings, self.system, self._shown)
        return self._swapped[key]
