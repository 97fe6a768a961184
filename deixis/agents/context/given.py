"""Pictures, sounds and videos as the state of a graph may have them: by name, never as data."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from langgraph.channels import EphemeralValue, UntrackedValue
from langgraph.errors import EmptyChannelError
from PIL import Image

from deixis.base.images import is_url
from deixis.base.urls import without_credentials

MEDIA = ("image", "images", "audio", "video")
"""The inputs that may be more than a checkpoint can hold."""
OF_ONE_SAMPLE = ("text", "caption", "mentions", "task")
_FORMS = {"bytes": bytes, "PIL image": Image.Image, "array": np.ndarray}


_LISTENING = {"transcriber", "speech_segmenter"}
_FOLLOWING = {"tracker"}


def idle_roles(given: Mapping[str, Any]) -> set[str]:
    """Return the roles that have nothing to do where no sound, or no video, is given."""
    film = given.get("video") is not None
    sound = film or given.get("audio") is not None
    return (set() if sound else _LISTENING) | (set() if film else _FOLLOWING)


class Held(str):
    """What stands for a medium that no checkpoint may hold: the name of its form, or its URL.

    So events of a graph are JSON, and tell no credentials. ``given`` is what was given.
    """

    given: Any

    def left(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of it: a record that no medium fits."""
        return {"sha256": "", "width": 1, "height": 1, "source": str(self)}


def held(given: Any) -> Any:
    """Return a medium, or a list of pictures, as the state may have it.

    What cannot be used stays as it is, for `open` to refuse.
    """
    if isinstance(given, Held):
        return given
    if isinstance(given, os.PathLike):
        return os.fsdecode(given)
    if isinstance(given, list):
        return [held(each) for each in given]
    if isinstance(given, str) and given[:5].lower() == "data:":
        name = "data URL"
    elif isinstance(given, str):
        name = without_credentials(given) if is_url(given) else given
        name = "" if name == given else name
    else:
        # Sound and video may be an array beside its rate.
        shown = given[0] if isinstance(given, tuple) and given else given
        name = next((name for name, form in _FORMS.items() if isinstance(shown, form)), "")
    if not name:
        return given
    standing = Held(name)
    standing.given = given
    return standing


def _held(name: str, given: Any) -> Any:
    """Return an input as `held` does; of sound and video alone a tuple is an array and its rate."""
    return held(list(given) if name == "images" and isinstance(given, tuple) else given)


def without_media(given: Any) -> Any:
    """Return a graph's input with what stands for its media, as events and tracers may have it."""
    if not isinstance(given, dict):
        return given
    return {name: _held(name, each) if name in MEDIA else each for name, each in given.items()}


def released(given: Any) -> Any:
    """Return what was given, of what stands for it."""
    return given.given if isinstance(given, Held) else given


def left_of(given: Any) -> Any:
    """Return what a checkpoint may keep of a medium in the state; None for nothing."""
    if isinstance(given, Held):
        return given.left()
    if isinstance(given, list):
        return [left_of(each) for each in given]
    return given if isinstance(given, str | dict) else None


class GivenMedium(UntrackedValue[Any]):
    """A medium as given; only what names it (a path, a URL, a record) is checkpointed."""

    def update(self, values: Sequence[Any]) -> bool:
        """Take the medium in."""
        return super().update([held(value) for value in values])

    def checkpoint(self) -> Any:
        """Return a path, URL or record; of pixels, bytes and credentials, that they were given."""
        left = left_of(self.value)
        return super().checkpoint() if left is None else left

    def from_checkpoint(self, checkpoint: Any) -> Self:
        """Restore what `checkpoint` kept."""
        channel = super().from_checkpoint(checkpoint)
        if isinstance(checkpoint, str | dict | list):
            channel.value = checkpoint
        return channel


class GivenBeside(GivenMedium):
    """A medium that results do not name where there is none."""

    def get(self) -> Any:
        """Return the medium; an empty channel where none was given."""
        value = super().get()
        if not self.is_available():
            raise EmptyChannelError
        return value

    def is_available(self) -> bool:
        """Whether there is one."""
        none = self.value is None or (isinstance(self.value, list) and not self.value)
        return super().is_available() and not none


class GivenInput(EphemeralValue[Any]):
    """LangGraph's start channel without pixels: it would checkpoint the input as it is."""

    def update(self, values: Sequence[Any]) -> bool:
        """Take the input in; what it leaves out, the last sample's does not stand in for."""
        given = [
            {
                **dict.fromkeys(OF_ONE_SAMPLE),
                **value,
                **{name: _held(name, value.get(name)) for name in MEDIA},
            }
            if isinstance(value, dict)
            else value
            for value in values
        ]
        return super().update(given)

    def checkpoint(self) -> Any:
        """Return the input, its media only where they are paths, URLs or records."""
        value = super().checkpoint()
        if not isinstance(value, dict):
            return value
        kept = {name: left_of(value[name]) for name in MEDIA if name in value}
        rest = {name: each for name, each in value.items() if name not in MEDIA}
        return {**rest, **{name: left for name, left in kept.items() if left is not None}}
