"""What the graph muie can be told."""

from typing import Literal

from pydantic import Field

from deixis.agents.context.system import GraphOptions


class MuieOptions(GraphOptions):
    """What this graph alone can be told.

    ``style``: how the ``vlm`` answers: ``structured``, an object held to a schema, or ``paper``,
    the meta-response of section 4.1, which appendix A asks for.
    ``frames``: frames of a video that one question shows. ``track_rate``: frames a second that are
    followed. ``key_seconds``: seconds between two frames in which is looked anew.
    ``max_tracks``: most things that are followed.
    ``spoken``: whether the text is what is said: ``auto`` compares it with what is heard.
    ``audio``: where a name is heard: at its ``words``, or in the ``segments`` of speech that have
    them, cut as the paper's segmenter cuts (SHAS).
    ``things``: whether, without a ``vlm``, what a detector sees is named where there are no words.
    ``hears``, ``watches``: whether a model that can is sent the sound and the video themselves,
    in place of the transcript and of frames.
    """

    style: Literal["structured", "paper"] = "structured"
    frames: int = Field(default=8, ge=1, le=64)
    track_rate: float = Field(default=5.0, gt=0.0, le=60.0)
    key_seconds: float = Field(default=2.0, gt=0.0)
    max_tracks: int = Field(default=20, ge=1)
    spoken: Literal["auto", "yes", "no"] = "auto"
    audio: Literal["words", "segments"] = "words"
    things: bool = True
    hears: bool = True
    watches: bool = True
