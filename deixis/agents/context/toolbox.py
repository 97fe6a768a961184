"""What agents work with: settings, models and tools, each loaded when first used."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel

from deixis.agents.context import pictures
from deixis.agents.context.state import State, Update, notice
from deixis.agents.context.system import GraphOptions, System
from deixis.base.records import NoticeKind
from deixis.errors import SettingsError
from deixis.llms import registry as llms
from deixis.llms.asking import Asker, Joint
from deixis.llms.cache.llm_cache import LlmCache, default_folder
from deixis.llms.photos import Photo, photo
from deixis.llms.structured import Reply, ReplyStatus
from deixis.prompts import Prompt, render
from deixis.prompts import check as check_prompts
from deixis.settings import Settings, Spec
from deixis.tools import registry as tools
from deixis.tools.base import Detector, Embedder, Entailer, Picture, Reader, Segmenter
from deixis.tools.tagger.crf import CrfTagger
from deixis.type_schema import TypeSchema

Answer = TypeVar("Answer", bound=BaseModel)
TOOL_ROLES = ("embedder", "detector", "reader", "segmenter")
MOST_KEPT = 20_000
"""Characters of a reply that are kept to be read later."""


def no_answer(status: ReplyStatus) -> str:
    """Say in a warning that a model gave no answer, and why."""
    return f"gave no answer ({status})"


class Seat(NamedTuple):
    """One model or tool of the settings, and the role it plays."""

    role: str
    spec: str
    is_tool: bool

    def check(self) -> None:
        """Check that the role could be filled, without loading or calling anything.

        Raises:
            MissingExtraError, MissingKeyError, SettingsError: it could not.
        """
        if self.is_tool:
            tools.check(self.spec, self.role)
        else:
            llms.check(self.spec)


class Toolbox:
    """Settings with everything that they name.

    Raises:
        SettingsError: a role names a model or a tool that does not exist, or the shipped
            recognizer is asked for types that it does not know, or the user's folder of
            prompts has a mistake.

    Args:
        settings: models, tools, limits.
        asker: asks the models; its own when None. Toolboxes that differ in roles share one,
            and with it the budget.
        system: the graph that they are for, which leaves alone the roles that it does not
            use; None is for one that uses all.
    """

    def __init__(
        self, settings: Settings, asker: Asker | None = None, system: System | None = None
    ) -> None:
        self.settings = settings
        self.system = system
        self.graph_options = system.check(settings) if system else GraphOptions()
        self.types: TypeSchema = settings.type_schema
        self._swapped: dict[str, Toolbox] = {}
        self._checked = False
        check_prompts(settings.options.prompts)
        folder = settings.options.cache_folder or default_folder()
        self.asker = asker or Asker(settings.options, LlmCache(folder, settings.options.cache))
        for seat in self.seats():
            if seat.is_tool:
                tools.find(seat.spec, seat.role)
            else:
                others = [name for name, tool in tools.TOOLS.items() if tool.plays(seat.role)]
                llms.provider_of(seat.spec, others)
        self.settings = self._shown()
        if self.recognizes_by_tagger and not any(each.crf for each in self.types.types):
            raise SettingsError(
                f"the recognizer crf knows PER, LOC, ORG and OTHER; say in the type schema "
                f"{self.types.name!r} which of them a type is (crf: PER), or use a chat model"
            )

    def _shown(self) -> Settings:
        """Return the settings without the credentials of chat models, which the asker keeps."""
        plain = {
            seat.spec: self.asker.shown(seat.spec) for seat in self.seats() if not seat.is_tool
        }
        changed = {
            role: [plain.get(each, each) for each in given]
            if role == "committee"
            else plain.get(given, given)
            for role, given in self.settings.roles
        }
        same = all(spec == said for spec, said in plain.items())
        return self.settings if same else self.settings.with_roles(changed)

    @property
    def recognizes_by_tagger(self) -> bool:
        """Whether the recognizer is the shipped tagger (otherwise it is a chat model)."""
        spec = self.settings.roles.recognizer
        is_tool = spec is not None and Spec.parse(spec).provider in tools.TOOLS
        return is_tool and self.uses("recognizer")

    def uses(self, role: str) -> bool:
        """Whether the graph has a place for a role."""
        return self.system is None or role in (*self.system.needs, *self.system.uses)

    def model(self, role: str) -> str:
        """Return the spec of a role that the graph needs.

        Raises:
            SettingsError: nobody plays it.
        """
        spec: str | None = getattr(self.settings.roles, role)
        if spec is None:
            raise SettingsError(f"nobody plays the role {role!r}; name a model for it")
        return spec

    @cached_property
    def entailer_is_tool(self) -> bool:
        """Whether the entailer is a tool, an image-text model (otherwise it is a chat model)."""
        spec = self.settings.roles.entailer
        return spec is not None and Spec.parse(spec).provider in tools.names("entailer")

    def seats(self) -> list[Seat]:
        """Return every model and tool that the settings name and the graph uses."""
        seats = []
        for role, given in self.settings.roles:
            if not self.uses(role):
                continue
            is_tool = role in TOOL_ROLES or (
                (role == "recognizer" and self.recognizes_by_tagger)
                or (role == "entailer" and self.entailer_is_tool)
            )
            specs = given if role == "committee" else [given]
            seats += [Seat(role, spec, is_tool) for spec in specs if spec is not None]
        return seats

    def check(self) -> None:
        """Check, before anything is asked or paid for, that every role could be filled.

        Raises:
            MissingExtraError, MissingKeyError, SettingsError: the first that could not.
        """
        if self._checked:  # it takes milliseconds, and is done for every sample
            return
        for seat in self.seats():
            if seat.is_tool or self.asker.cache.mode != "replay":  # a replay asks nobody
                seat.check()
        self._checked = True

    def for_context(self, context: Mapping[str, Any] | None) -> "Toolbox":
        """Return the toolbox with the roles swapped that the runtime context names."""
        if not context:
            return self
        key = repr(sorted(context.items()))
        if key not in self._swapped:
            settings = self.settings.with_roles(context)
            self._swapped[key] = Toolbox(settings, self.asker, self.system)
        return self._swapped[key]

    @property
    def tagger(self) -> CrfTagger:
        """The shipped recognizer."""
        tagger: CrfTagger = tools.load(self.model("recognizer"), "recognizer")
        return tagger

    @property
    def detector(self) -> Detector | None:
        """Finds objects, or None when the role is left out."""
        detector: Detector | None = self._tool("detector")
        return detector

    @property
    def reader(self) -> Reader | None:
        """Reads writing, or None when the role is left out."""
        reader: Reader | None = self._tool("reader")
        return reader

    @property
    def segmenter(self) -> Segmenter | None:
        """Makes masks, or None when the role is left out."""
        segmenter: Segmenter | None = self._tool("segmenter")
        return segmenter

    @property
    def entailer(self) -> Entailer | None:
        """Says whether descriptions fit, or None when the role is left out or is a chat model's."""
        entailer: Entailer | None = self._tool("entailer") if self.entailer_is_tool else None
        return entailer

    @property
    def embedder(self) -> Embedder | None:
        """Says how alike posts are, or None when the role is left out."""
        embedder: Embedder | None = self._tool("embedder")
        return embedder

    def _tool(self, role: str) -> Any:
        spec = getattr(self.settings.roles, role)
        return tools.load(spec, role) if spec is not None and self.uses(role) else None

    def pixels(self, state: State) -> Picture | None:
        """Return the sample's picture, or None when it has none."""
        picture = state.get("picture")
        if picture is None:
            return None
        options = self.settings.options
        given = state.get("image")
        return pictures.pixels_of(picture, given, options.max_pixels, options.urls)

    def photo(self, state: State) -> Photo | None:
        """Return the sample's picture as models are sent it, or None when it has none."""
        pixels = self.pixels(state)
        return None if pixels is None else photo(pixels, self.settings.options.image_side)

    def shown(self, state: State, step: str, spec: str) -> tuple[list[Photo], Update]:
        """Return the picture as a chat model is shown it, for `ask`.

        Returns:
            One photo; none if there is no picture or the model takes none, which is a notice
            (the second value).
        """
        image = self.photo(state)
        if image is None:
            return [], {}
        if llms.provider_of(spec).sees:
            return [image], {}
        return [], notice(step, f"{spec} takes no pictures; it was asked about the text alone")

    def render(self, name: str, /, **variables: Any) -> Prompt:
        """Fill in a prompt: the file in the user's folder, else the one of Deixis.

        Raises:
            SettingsError: as for `deixis.prompts.render`.
        """
        return render(name, self.settings.options.prompts, **variables)

    def ask(
        self,
        step: str,
        role: str,
        spec: str,
        prompt: Prompt,
        answer: type[Answer],
        seat: int = 0,
        sample: int = 0,
        joint: Joint | None = None,
        images: Sequence[Photo] = (),
    ) -> tuple[Reply[Answer], Update]:
        """Ask the model of a role; return its reply and the update that accounts for it.

        The update holds the calls made, named ``step/seat/number`` from 1 on, and, when there
        was no usable answer, a notice. An answer that is in the cache is one call with the
        status ``cached``, one that came with another sample's has the status ``shared``.
        `sample` tells apart the answers that one model is asked for several times.

        Raises:
            CacheMissError: the cache is only replayed, and lacks this answer.
        """
        reply = self.asker.ask(spec, prompt, answer, sample, joint, images)
        calls = {
            f"{step}/{seat + 1}/{number}": {
                "role": role,
                "model": spec,
                "prompt": f"{prompt.name} {prompt.version}",
                "retry": number > 1 and call.status != "shared",
                **call._asdict(),
                "text": call.text[:MOST_KEPT],
            }
            for number, call in enumerate(reply.calls, start=1)
        }
        trouble = self.asker.cache.trouble
        notices = notice("cache", trouble) if trouble else {}
        if reply.value is None:
            reason = f"{role} {spec} {no_answer(reply.status)}: {reply.detail}"
            kind: NoticeKind = "budget" if reply.status == "budget" else "degraded"
            notices = notices | notice(step, reason, kind)
        return reply, {"calls": calls, "notices": notices}
