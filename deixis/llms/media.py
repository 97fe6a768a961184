"""Sound and video as language models are sent them, beside the pictures of `photos`."""

import hashlib
import math
from typing import Any, Literal, NamedTuple

from deixis.llms.photos import Photo, content_block

TOKENS_PER_SECOND = {"audio": 32, "video": 300}
"""About; Gemini's, who counts more than others (Google's guide to counting tokens: 32 of sound,
258 of each frame at one a second, with the sound). Corrected by what the provider counts."""


class Recording(NamedTuple):
    """Sound: a WAV file of 16 bits, mono, 16,000 samples a second."""

    data: bytes
    sha256: str
    seconds: float

    @property
    def kind(self) -> Literal["audio"]:
        """What it is, as LangChain calls its block."""
        return "audio"

    @property
    def tokens(self) -> int:
        """About how many tokens it is to a model."""
        return math.ceil(self.seconds * TOKENS_PER_SECOND[self.kind])

    def block(self) -> dict[str, Any]:
        """Return the content block of a message, as LangChain has it."""
        return content_block(self.kind, self.data, "audio/wav")


class Clip(NamedTuple):
    """Video: an MP4 file."""

    data: bytes
    sha256: str
    seconds: float

    @property
    def kind(self) -> Literal["video"]:
        """What it is, as LangChain calls its block."""
        return "video"

    @property
    def tokens(self) -> int:
        """About how many tokens it is to a model."""
        return math.ceil(self.seconds * TOKENS_PER_SECOND[self.kind])

    def block(self) -> dict[str, Any]:
        """Return the content block of a message, as LangChain has it."""
        return content_block(self.kind, self.data, "video/mp4")


Medium = Photo | Recording | Clip
"""What a question can show beside its text."""

NAMES = {"image": "Image", "audio": "Audio", "video": "Video"}
"""What each kind is called in a prompt, where it is numbered from 1 on."""


def recording(wav: bytes, seconds: float) -> Recording:
    """Return sound that can be sent.

    Args:
        wav: a whole WAV file, mono, 16,000 samples a second.
        seconds: how long it is.
    """
    return Recording(wav, hashlib.sha256(wav).hexdigest(), seconds)


def clip(mp4: bytes, seconds: float) -> Clip:
    """Return video that can be sent.

    Args:
        mp4: a whole MP4 file.
        seconds: how long it is.
    """
    return Clip(mp4, hashlib.sha256(mp4).hexdigest(), seconds)


def identity(medium: Medium) -> str:
    """Return what tells a medium from all others: a picture's sha256, else with the kind."""
    return medium.sha256 if medium.kind == "image" else f"{medium.kind}:{medium.sha256}"
