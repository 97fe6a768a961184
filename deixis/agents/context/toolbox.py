"""What agents work with: prompts, models and tools, each loaded when first used."""

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from typing import Any, TypeVar

from pydantic import BaseModel

from deixis.agents.context import media, pictures, sent
from deixis.agents.context.cast import Cast
from deixis.agents.context.state import State, Update, notice
from deixis.agents.context.system import GraphOptions, System
from deixis.agents.context.tools_in_hand import ToolsInHand
from deixis.base.records import NoticeKind
from deixis.base.video import OpenedVideo
from deixis.errors import DeixisError, SettingsError
from deixis.llms import registry as llms
from deixis.llms.asking import Asker, Joint
from deixis.llms.cache.llm_cache import LlmCache, default_folder
from deixis.llms.cache.recognized import Recognized
from deixis.llms.media import Clip, Medium, Recording
from deixis.llms.photos import Photo, photo
from deixis.llms.structured import Reply, ReplyStatus
from deixis.llms.tracing import question
from deixis.prompts import Prompt, render
from deixis.prompts import check as check_prompts
from deixis.settings import Roles, Settings
from deixis.tools.base import Picture, Samples
from deixis.type_schema import TypeSchema

Answer = TypeVar("Answer", bound=BaseModel)
GivenOptions = TypeVar("GivenOptions", bound=GraphOptions)
MOST_KEPT = 20_000
"""Characters of a reply that are kept to be read later."""


def no_answer(status: ReplyStatus) -> str:
    """Say in a warning that a model gave no answer, and why."""
    return f"gave no answer ({status})"


def toolbox_of_role(settings: Settings, role: str, example: str) -> "Toolbox":
    """Return a toolbox that has the tool of one role of a stack alone.

    Args:
        settings: the stack.
        role: which.
        example: a tool for it, to name where there is none.

    Raises:
        SettingsError: nobody plays the role, or there is no tool of this name.
    """
    spec = getattr(settings.roles, role)
    if spec is None:
        raise SettingsError(
            f"nobody plays the role {role!r} (stack {settings.name!r}); name one: "
            f"--role {role}={example}"
        )
    return Toolbox(settings.model_copy(update={"roles": Roles.model_validate({role: spec})}))


class Toolbox(ToolsInHand):
    """What the agents of one run work with: its cast, and the asker with its budget.

    It is made once, and handed to all that fetches, asks or builds for that run.

    Raises:
        SettingsError: as for `Cast` and `System.options_in`, or the user's folder of prompts has a
            mistake.

    Args:
        settings: models, tools, limits.
        system: the graph that they are for; None is for one that uses all roles.
    """

    def __init__(self, settings: Settings, system: System[Any] | None = None) -> None:
        self._graph_options = system.options_in(settings) if system else GraphOptions()
        check_prompts(settings.options.prompts)
        folder = settings.options.cache_folder or default_folder()
        self.asker = Asker(settings.options, LlmCache(folder, settings.options.cache))
        self.cast = Cast(settings, system, self.asker.shown)
        self.types: TypeSchema = settings.type_schema
        # Texts are put on the disk where prompts are, which quote them, and nowhere else.
        kept = any(not seat.is_tool for seat in self.cast.seats())
        mode = settings.options.cache if kept else "off"
        self.recognized = Recognized(
            self.asker.cache.folder,
            reads=mode in ("use", "replay"),
            writes=mode in ("use", "refresh"),
        )

    @property
    def settings(self) -> Settings:
        """The settings, without credentials of chat models, which the asker keeps."""
        return self.cast.settings

    def graph_options(self, kind: type[GivenOptions]) -> GivenOptions:
        """Return what the graph was told.

        Args:
            kind: `System.options` of the graph, or what that derives from.

        Raises:
            TypeError: the graph has other options.
        """
        if not isinstance(self._graph_options, kind):
            raise TypeError(
                f"an agent wants {kind.__name__}, and the graph has the options "
                f"{type(self._graph_options).__name__}; give its System options={kind.__name__}"
            )
        return self._graph_options

    @property
    def takes(self) -> tuple[str, ...]:
        """What of `System.takes` the graph takes; nothing of it where there is no graph."""
        return self.cast.system.takes if self.cast.system else ()

    def model(self, role: str) -> str:
        """Return the spec of a role that the graph needs.

        Raises:
            SettingsError: nobody plays it.
        """
        return self.cast.model(role)

    def check(self, without: Collection[str] = ()) -> None:
        """Check, before anything is asked or paid for, that every role could be filled.

        Args:
            without: roles of tools that have nothing to do.

        Raises:
            MissingExtraError, MissingKeyError, SettingsError: the first that could not.
        """
        self.cast.check(replayed=self.asker.cache.mode == "replay", without=without)

    def for_context(self, context: Mapping[str, Any] | None) -> "Toolbox":
        """Return the toolbox with the roles swapped that the runtime context names."""
        cast = self.cast.for_context(context)
        if cast is self.cast:
            return self
        swapped = copy(self)
        swapped.cast = cast
        return swapped

    def pixels(self, state: State) -> Picture | None:
        """Return the sample's picture, or None when it has none."""
        picture = state.get("picture")
        if picture is None:
            return None
        options = self.settings.options
        given = media.first_given(state)
        return pictures.pixels_of(picture, given, options.max_pixels, options.urls)

    def pictures(self, state: State) -> list[Picture]:
        """Return all pictures of the sample, in the order of `Region.image`."""
        return media.pictures_of(state, self.settings.options)

    def samples(self, state: State) -> Samples | None:
        """Return the sample's sound, or that of its video, or None when it has none."""
        return media.samples_of(state, self.settings.options)

    def video(self, state: State) -> OpenedVideo | None:
        """Return the sample's video, or None when it has none."""
        return media.video_of(state, self.settings.options)

    def photo(self, state: State) -> Photo | None:
        """Return the sample's picture as models are sent it, or None when it has none."""
        pixels = self.pixels(state)
        return None if pixels is None else photo(pixels, self.settings.options.image_side)

    def photos(self, state: State) -> list[Photo]:
        """Return all pictures of the sample as models are sent them."""
        side = self.settings.options.image_side
        return [photo(pixels, side) for pixels in self.pictures(state)]

    def shown(self, state: State, step: str, spec: str) -> tuple[list[Photo], Update]:
        """Return the picture as a chat model is shown it, for `ask`.

        Returns:
            One photo; none if there is no picture or the model takes none, which is a notice
            (the second value).
        """
        image = self.photo(state)
        if image is None:
            return [], {}
        if llms.sees(spec):
            return [image], {}
        return [], notice(step, f"{spec} takes no pictures; it was asked about the text alone")

    def recording(self, state: State, step: str, spec: str) -> tuple[Recording | None, Update]:
        """Return the sound of the sample as a chat model is sent it, for `ask`.

        Returns:
            None if there is none, the model does not hear, or it cannot be sent, which is a notice
            (the second value).
        """
        if not llms.hears(spec):
            return None, {}
        try:
            samples = self.samples(state)
        except DeixisError as error:
            return None, notice(step, f"the sound was not sent: {error}")
        if samples is None:
            return None, {}
        return sent.recording_of(samples, self.settings.options, step)

    def clip(self, state: State, step: str, spec: str) -> tuple[Clip | None, Update]:
        """Return the video of the sample as a chat model is sent it, for `ask`.

        Returns:
            As `recording`, of a model that watches.
        """
        if not llms.watches(spec):
            return None, {}
        try:
            video = self.video(state)
        except DeixisError as error:
            return None, notice(step, f"the video was not sent: {error}")
        return (None, {}) if video is None else sent.clip_of(video, self.settings.options, step)

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
        images: Sequence[Medium] = (),
    ) -> tuple[Reply[Answer], Update]:
        """Ask the model of a role; return its reply and the update that accounts for it.

        The update holds the calls made, named ``step/seat/number`` from 1 on, and, when there
        was no usable answer, a notice. An answer that is in the cache is one call with the
        status ``cached``, one that came with another sample's has the status ``shared``.
        `sample` tells apart the answers that one model is asked for several times.

        Raises:
            CacheMissError: the cache is only replayed, and lacks this answer.
        """
        told = question(step, role, seat, spec, prompt, images)
        with self.asker.tracing.span(*told) as span:
            reply = self.asker.ask(spec, prompt, answer, sample, joint, images)
            last = reply.calls[-1].status if reply.calls else ""
            span.tell(
                {
                    "deixis.status": reply.status,
                    "deixis.cache.hit": last == "cached",
                    "deixis.requests": sum(
                        call.status not in {"cached", "shared"} for call in reply.calls
                    ),
                }
            )
            if reply.value is None:
                span.fail(reply.status, reply.detail)
        return reply, self.accounted(step, role, spec, prompt, reply, seat)

    def accounted(
        self, step: str, role: str, spec: str, prompt: Prompt, reply: Reply[Any], seat: int = 0
    ) -> Update:
        """Return the update that accounts for a reply; see `ask`."""
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
        return {"calls": calls, "notices": notices}
